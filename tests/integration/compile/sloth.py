"""The rules that Sloth documents for one SLO over 30 days, written out by hand; it runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ID, SERVICE, SLO = "sloth-requests", "sloth", "requests"
LABELS = {"sloth_id": ID, "sloth_service": SERVICE, "sloth_slo": SLO}
SELECTOR = f'{{sloth_id="{ID}", sloth_service="{SERVICE}", sloth_slo="{SLO}"}}'
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAGE, TICKET = (("5m", "1h", "14.4"), ("30m", "6h", "6")), (("2h", "1d", "3"), ("6h", "3d", "1"))

Rule = dict[str, Any]


def rules(*, bad: str, total: str, objective: str, budget: str) -> list[Rule]:
    """Return the rules of an `events` SLI, of which `bad` and `total` select the counters."""
    return [
        *(_ratio(bad, total, window) for window in WINDOWS),
        _record(
            "slo:sli_error:ratio_rate30d",
            f"sum_over_time(slo:sli_error:ratio_rate5m{SELECTOR}[30d])"
            f" / ignoring (sloth_window) count_over_time(slo:sli_error:ratio_rate5m{SELECTOR}[30d])",
            sloth_window="30d",
        ),
        _record("slo:objective:ratio", f"vector({objective})"),
        _record("slo:error_budget:ratio", f"vector(1-{objective})"),
        _record("slo:time_period:days", "vector(30)"),
        _record("slo:current_burn_rate:ratio", _by_budget("slo:sli_error:ratio_rate5m")),
        _record("slo:period_burn_rate:ratio", _by_budget("slo:sli_error:ratio_rate30d")),
        _record("slo:period_error_budget_remaining:ratio", f"1 - slo:period_burn_rate:ratio{SELECTOR}"),
        _record("sloth_slo_info", "vector(1)", sloth_mode="cli-gen-prom", sloth_spec="prometheus/v1"),
        *(
            {
                "alert": "SlothBurns",
                "expr": " or ".join(_burns(*each, budget=budget) for each in quick_and_slow),
                "labels": {"sloth_id": ID, "sloth_severity": severity},
            }
            for severity, quick_and_slow in (("page", PAGE), ("ticket", TICKET))
        ),
    ]


def recorded() -> Iterator[str]:
    """Yield the series that the rules record."""
    for rule in rules(bad="x", total="x", objective="0.999", budget="0.001"):
        if "record" in rule:
            yield rule["record"]


def _ratio(bad: str, total: str, window: str) -> Rule:
    return _record(
        f"slo:sli_error:ratio_rate{window}",
        f"(sum(rate({bad}[{window}])))\n/\n(sum(rate({total}[{window}])))",
        sloth_window=window,
    )


def _record(name: str, expr: str, **labels: str) -> Rule:
    return {"record": name, "expr": expr, "labels": {**LABELS, **labels}}


def _by_budget(series: str) -> str:
    return (
        f"{series}{SELECTOR} / on(sloth_id, sloth_slo, sloth_service) group_left"
        f" slo:error_budget:ratio{SELECTOR}"
    )


def _burns(short: str, long: str, factor: str, *, budget: str) -> str:
    one, other = (
        f"max(slo:sli_error:ratio_rate{window}{SELECTOR} > ({factor} * {budget})) without (sloth_window)"
        for window in (short, long)
    )
    return f"({one} and {other})"
