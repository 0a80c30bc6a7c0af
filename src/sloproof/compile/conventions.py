"""What series, labels and alerts are called: as in Sloth where it has a name, so that its dashboards work."""

from __future__ import annotations

from sloproof.slo.quantities import in_units

ID, SERVICE, SLO, WINDOW = "sloth_id", "sloth_service", "sloth_slo", "sloth_window"
SEVERITY, SLOTH_SEVERITY, TIER = "severity", "sloth_severity", "tier"

OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
PERIOD_DAYS = "slo:time_period:days"
CURRENT_BURN_RATE = "slo:current_burn_rate:ratio"
PERIOD_BURN_RATE = "slo:period_burn_rate:ratio"
BUDGET_REMAINING = "slo:period_error_budget_remaining:ratio"
INFO = "sloth_slo_info"
# Not of Sloth, which records ratios only: events of the last five minutes.
TOTAL = "slo:sli_total:increase5m"
BAD = "slo:sli_bad:increase5m"
COUNTED_S = 300

BURN_ALERT = "SLOErrorBudgetBurn"
ABSENCE_ALERT = "SLOMetricsAbsent"

JOB, INSTANCE, UP = "job", "instance", "up"


def error_ratio(window_s: int) -> str:
    """Return the name of the recorded share of bad events over a window.

    >>> error_ratio(300)
    'slo:sli_error:ratio_rate5m'
    """
    return f"slo:sli_error:ratio_rate{in_units(window_s)}"


def slo_id(service: str, objective: str) -> str:
    """Return what tells one objective from all others.

    >>> slo_id("jobs", "availability")
    'jobs-availability'
    """
    return f"{service}-{objective}"
