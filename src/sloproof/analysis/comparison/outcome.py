"""What a comparison says, as ``results.json`` holds it; it computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is compared."""

    LATENCY = "latency"  # as a ratio
    ERRORS = "errors"  # as a difference of shares
    INTEGRITY = "integrity"  # kept or not


class Relation(StrEnum):
    """How the second stands to the first, by the margin; slower and faster are of latency."""

    FASTER = "faster"
    SLOWER = "slower"
    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


REGRESSIONS = frozenset({Relation.SLOWER, Relation.WORSE})
IMPROVEMENTS = frozenset({Relation.FASTER, Relation.BETTER})


class Design(StrEnum):
    """How trials of the two stand to each other."""

    BLOCKS = "blocks"  # side by side, on the same arrivals: compared within each block
    RUNS = "runs"  # in two runs, of which each had its own time on the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What makes no matter: a share of the latency, and a share of an objective's error budget."""

    latency_ratio: float = 0.05
    budget_ratio: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is compared: percentile `q` of the latency of an endpoint or event, or an objective.

    ``name`` is how people call it, such as ``submit p99``; ``about`` is the endpoint, event or objective.
    """

    kind: Kind
    name: str
    about: str
    q: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An estimate with its interval: a ratio of latencies, or a difference of shares of bad events."""

    estimate: float
    low: float
    high: float
    confidence_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the configuration `current` stands to `baseline` in one metric.

    ``effect`` is by Student's t, at the level that Holm's procedure gives it among the ``family`` comparisons
    of the same metric; ``p_holm`` is adjusted for them. ``robust`` is its twin by ranks, at 95 %, for nothing
    but this comparison. ``trials`` counts the blocks that hold both, or the trials of the side with fewer.
    ``margin`` is what makes no matter: a ratio of latencies up to 1 + margin, a difference of shares up to
    margin. ``reason`` says why there is no verdict, or on what it rests where that is not ``effect``.
    """

    baseline: str
    current: str
    metric: Metric
    design: Design
    trials: int
    effect: Effect | None
    robust: Effect | None
    p_value: float | None
    p_holm: float | None
    family: int
    margin: float
    relation: Relation
    reason: str
