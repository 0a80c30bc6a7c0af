"""A configuration of Alertmanager that goes with the alerts: who is told, and which alert silences which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.conventions import ABSENCE_ALERT, BURN_ALERT, ID, SERVICE, SEVERITY
from sloproof.slo.tiers import Severity

if TYPE_CHECKING:
    from sloproof.compile.yamltext import Value


def alertmanager() -> dict[str, Value]:
    """Return a complete configuration, whose receivers have no address yet.

    One notification tells all alerts of an objective. A page silences the ticket of the same objective: who
    is up already needs no second message; gone metrics silence what was computed from the last of them.
    """
    return {
        "route": {
            "receiver": Severity.TICKET.value,
            "group_by": [SERVICE, ID, SEVERITY],
            "group_wait": "10s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [
                {
                    "matchers": [f'{SEVERITY}="{Severity.PAGE.value}"'],
                    "receiver": Severity.PAGE.value,
                    "repeat_interval": "4h",
                }
            ],
        },
        "receivers": [{"name": Severity.PAGE.value}, {"name": Severity.TICKET.value}],
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{BURN_ALERT}"', f'{SEVERITY}="{Severity.PAGE.value}"'],
                "target_matchers": [f'alertname="{BURN_ALERT}"', f'{SEVERITY}="{Severity.TICKET.value}"'],
                "equal": [ID],
            },
            {
                "source_matchers": [f'alertname="{ABSENCE_ALERT}"'],
                "target_matchers": [f'alertname="{BURN_ALERT}"', f'{SEVERITY}="{Severity.TICKET.value}"'],
                "equal": [ID],
            },
        ],
    }
