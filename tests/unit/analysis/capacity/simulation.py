"""Servers whose capacity is known, as a search sees them: with noise, hiccups, and a generator that ends."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.observation import Observation
from sloproof.analysis.capacity.search import Finding, Proposal, SearchPlan, step

if TYPE_CHECKING:
    from collections.abc import Callable

TRUTH_PER_S = 770.0
NOISE = 0.15
HICCUP_RATIO = 0.08


def queue(rate_per_s: float) -> float:
    """Return the margin at a server of 1,000/s: its p99 is proportional to 1/(1 - rate/1000)."""
    return math.log((1 - TRUTH_PER_S / 1000) / max(1 - rate_per_s / 1000, 0.01))


def cliff(rate_per_s: float) -> float:
    """Return the margin at a server that is fast up to its limit, and whose queue grows without end above."""
    if rate_per_s <= TRUTH_PER_S:
        return -2.5 + 0.5 * rate_per_s / TRUTH_PER_S
    return min(3.0, 0.5 + math.log(1e-4 + 30 * (rate_per_s / TRUTH_PER_S - 1)))


def gate(rate_per_s: float) -> float:
    """Return the margin at a server of which a trial tells no more than whether the limit was reached."""
    return 5.0 if rate_per_s > TRUTH_PER_S else -5.0


@dataclass(kw_only=True)
class Server:
    """Trials on a server: margins with 15 % of noise, and one of twelve trials has a hiccup."""

    margin: Callable[[float], float]
    seed: int
    noise: float = NOISE
    drift: float = 0.0  # of the capacity from trial to trial
    hiccup_ratio: float = HICCUP_RATIO
    valid_up_to_per_s: float = math.inf
    seconds: float = 10.0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - not a secret

    def try_(self, proposal: Proposal) -> Observation:
        rate_per_s = proposal.rate_per_s * math.exp(self._chance.gauss(0, self.drift))
        margin = self.margin(rate_per_s) + self._chance.gauss(0, self.noise)
        if self._chance.random() < self.hiccup_ratio:
            margin += math.log(self._chance.uniform(1.5, 5))
        return Observation(
            rate_per_s=proposal.rate_per_s,
            seconds=self.seconds,
            valid=proposal.rate_per_s <= self.valid_up_to_per_s,
            margins={"latency": margin},
        )


def plan(**changes: float) -> SearchPlan:
    given = {
        "from_per_s": 50.0,
        "to_per_s": 3000.0,
        "budget_s": 1e6,
        "trial_s": 10.0,
        "trials": 4,
        "seed": 1,
    }
    return SearchPlan(**{**given, **changes})  # type: ignore[arg-type]


def searched(plan: SearchPlan, server: Server) -> tuple[Finding, list[Observation]]:
    """Return what a search of a server comes to, and all that it saw."""
    seen: list[Observation] = []
    while isinstance(next_ := step(plan, seen), Proposal):
        seen.append(server.try_(next_))
    return next_, seen
