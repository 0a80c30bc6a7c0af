"""When to alert on a burning error budget: tiers of burn rate and windows; it knows no query language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache

MINUTE, HOUR, DAY = 60, 3_600, 86_400
MONTH = 30 * DAY
PER_SHORT = 12
"""A short window is this part of its long one, so that an alert ends soon after its cause does."""
FACTOR_STEP = Decimal("0.001")
# What the windows of other periods are rounded to, so that people can read them.
ROUND_S = (
    *(each * MINUTE for each in (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90)),
    *(each * HOUR for each in (2, 3, 4, 6, 8, 12, 18)),
    *(each * DAY for each in (1, 2, 3, 4, 5, 6, 7, 9, 12, 14, 18, 21, 28, 36)),
)


class Severity(StrEnum):
    """Whom an alert disturbs: a page somebody now, a ticket somebody on a working day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One alert: it fires while the burn rate exceeds `factor` over the long window and over the short one.

    Windows are whole seconds.
    """

    name: str
    severity: Severity
    factor: Decimal
    long_s: int
    short_s: int

    def __post_init__(self) -> None:
        if not 0 < self.short_s < self.long_s:
            raise ValueError(f"the short window of '{self.name}' must be shorter than the long one")
        if self.factor <= 0:
            raise ValueError(f"the factor of '{self.name}' must be above 0, not {self.factor}")

    def can_fire(self, budget: Decimal) -> bool:
        """Tell whether any error ratio can exceed the threshold: none does where it is 1 or more."""
        return self.factor * budget < 1

    def threshold(self, budget: Decimal) -> Decimal:
        """Return the error ratio above which the tier fires, exactly."""
        return self.factor * budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A tier by what it costs: it fires when the share `budget` of the error budget burns in the long window.

    Without a short window it takes a twelfth of the long one.
    """

    name: str
    severity: Severity
    budget: Decimal
    long_s: int
    short_s: int | None = None

    def tier(self, window_s: Decimal) -> Tier:
        """Return the tier for an error budget over so many seconds."""
        return Tier(
            name=self.name,
            severity=self.severity,
            factor=burn_factor(budget=self.budget, long_s=self.long_s, window_s=window_s),
            long_s=self.long_s,
            short_s=self.short_s or max(1, self.long_s // PER_SHORT),
        )


WORKBOOK = (
    Share(name="page-fast", severity=Severity.PAGE, budget=Decimal("0.02"), long_s=HOUR),
    Share(name="page-slow", severity=Severity.PAGE, budget=Decimal("0.05"), long_s=6 * HOUR),
    Share(name="ticket-fast", severity=Severity.TICKET, budget=Decimal("0.10"), long_s=DAY),
    Share(name="ticket-slow", severity=Severity.TICKET, budget=Decimal("0.10"), long_s=3 * DAY),
)
"""The default tiers, with the windows of an error budget of 30 days: 14.4×, 6×, 3× and 1× its even pace.

Source: Google SRE Workbook, ch. 5 "Alerting on SLOs", table 5-8; `ticket-fast` is what Sloth and the
Kubernetes mixins add to it.
"""


def burn_factor(*, budget: Decimal, long_s: int, window_s: Decimal) -> Decimal:
    """Return the burn rate that spends a share of the error budget within a long window.

    It is rounded to thousandths, and never below 1: slower than that, the budget outlasts its window.
    Source: Google SRE Workbook, ch. 5, "burn rate = budget consumed × period / alert window".

    >>> burn_factor(budget=Decimal("0.02"), long_s=3_600, window_s=Decimal(30 * 86_400))
    Decimal('14.4')
    """
    exact = budget * window_s / long_s
    return max(Decimal(1), exact.quantize(FACTOR_STEP)).normalize()


@cache
def default_tiers(window_s: Decimal) -> tuple[Tier, ...]:
    """Return the tiers for an error budget over so many seconds.

    The windows of 30 days are stretched or shrunk with it and rounded, so that a tier means the same share
    of the budget and nearly the same burn rate whatever the window: 28 days keep those of 30.
    """
    return tuple(replace(share, long_s=_scaled(share.long_s, window_s)).tier(window_s) for share in WORKBOOK)


def _scaled(long_s: int, window_s: Decimal) -> int:
    """Return the round duration that is nearest, as a ratio, to a window scaled from 30 days."""
    exact = long_s * window_s / MONTH
    return min(ROUND_S, key=lambda rounded: max(rounded / exact, exact / rounded))
