"""What is known beside an SLO file: its traffic, what its service exposes, what a Prometheus has of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from sloproof.compile.selectors import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposition:
    """The histograms that a service exposes at `name`, each with the labels of all its buckets, `le` too.

    A histogram may be declared and have no bucket yet. `metrics` are the names of all metrics.
    """

    name: str
    histograms: Mapping[str, tuple[Mapping[str, str], ...]]
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a Prometheus has of a selector: how many series of each job, and where there is none, why."""

    jobs: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    culprits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the Prometheus at `name` says of itself and of one SLO file; ``None`` or absent: it does not say.

    `traffic` holds events per second by the index of an objective.
    """

    name: str
    retention_s: int | None = None
    scrape_interval_s: int | None = None
    matches: Mapping[Selector, Match] = field(default_factory=dict)
    traffic: Mapping[int, Decimal] = field(default_factory=dict)
