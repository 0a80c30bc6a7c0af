"""What a Prometheus said of one trial, as its file holds it, and what follows from that; it asks nobody."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - resolved when a reading is read back
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from sloproof.analysis.accounting import Gain
from sloproof.analysis.estimates import Estimate
from sloproof.analysis.results import Scrapes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE = "prometheus.json"
EDGE_S = Decimal("0.001")
"""By how much a window reaches beyond its scrapes: Prometheus 3 leaves out what lies just on its start."""
NOT_WATCHED = "no Prometheus watched this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query and the number it gave; ``None``: no series."""

    query: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """A series as it was at the first and the last scrape of the window; ``None``: not there yet, or gone."""

    selector: str
    labels: Mapping[str, str]
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was asked of one objective; ``failed`` says why that could not be answered.

    ``ends`` are the series that the total counts.
    """

    total: Asked | None = None
    good: Asked | None = None
    bad: Asked | None = None
    error_ratio: Asked | None = None
    ends: tuple[Ends, ...] = ()
    failed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that was read from the Prometheus of a run about one trial.

    Moments are Unix time. The load lies between ``load_began_s`` and ``settled_s``; ``scrapes`` are the
    moments of the target's scrapes with 1 where it answered. ``window_s`` ends at ``asked_at_s``. ``absent``
    says why there is nothing.
    """

    scrape_interval_s: float
    load_began_s: float | None = None
    settled_s: float | None = None
    scrapes: tuple[tuple[float, float], ...] = ()
    asked_at_s: Decimal | None = None
    window_s: Decimal | None = None
    objectives: Mapping[str, Answers] = field(default_factory=dict)
    absent: str | None = None


READING = TypeAdapter(Reading)


def read(folder: Path) -> Reading | None:
    """Return the reading in a trial's folder; ``None`` in that of a run from before there were any.

    Raises ValueError: it is broken.
    """
    try:
        return READING.validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ValueError(f"{folder / FILE}: {error}") from error


@dataclass(frozen=True, slots=True)
class Window:
    """From one scrape to a later one, Unix time, and just beyond, so that ``increase()`` extrapolates little.

    >>> Window(100.0, 119.0).ends_at_s, Window(100.0, 119.0).length_s
    (Decimal('119.001'), Decimal('19.002'))
    """

    first_s: float
    last_s: float

    @property
    def ends_at_s(self) -> Decimal:
        """The moment to ask at."""
        return _exact(self.last_s) + EDGE_S

    @property
    def length_s(self) -> Decimal:
        """The seconds before it that a query is to look back."""
        return self.ends_at_s - _exact(self.first_s) + EDGE_S


def _exact(moment_s: float) -> Decimal:
    return Decimal(f"{moment_s:.3f}")


def window(scrapes: Sequence[tuple[float, float]], *, load_began_s: float, settled_s: float) -> Window | None:
    """Return the window between the scrapes that enclose the load: the last before it, the first after it.

    Where the subject was not scraped then, the nearest within the load. ``None``: there are no two.

    >>> window([(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 0), (5.0, 1)], load_began_s=2.1, settled_s=3.9)
    Window(first_s=2.0, last_s=5.0)
    """
    answered = [moment for moment, up in scrapes if up == 1]
    first = max((each for each in answered if each <= load_began_s), default=min(answered, default=None))
    last = min((each for each in answered if each >= settled_s), default=max(answered, default=None))
    return None if first is None or last is None or last <= first else Window(first, last)


def estimate(answers: Answers | None) -> Estimate | None:
    """Return what Prometheus says of an objective; ``None`` where it says nothing.

    No series of good, or of bad, events are none of them, as in the compiled rules.
    """
    if answers is None or answers.failed is not None:
        return None
    share = answers.error_ratio.value if answers.error_ratio else None
    ratio = None if share is None else 1 - share
    if answers.total is None:
        return None if ratio is None else Estimate(good=None, total=None, ratio=ratio)
    if (total := answers.total.value) is None:
        return None
    if answers.good is not None:
        good = answers.good.value or 0.0
    else:
        good = total - ((answers.bad.value if answers.bad else None) or 0.0)
    return Estimate(good=good, total=total, ratio=ratio)


def gain(answers: Answers | None) -> Gain | None:
    """Return what the counters of an objective's total gained between the two scrapes, and its increase.

    ``None`` where there are none, or one of them began anew.
    """
    if answers is None or answers.total is None or answers.total.value is None or not answers.ends:
        return None
    gained = 0.0
    for ends in answers.ends:
        if ends.last is None or ends.last < (ends.first or 0.0):
            return None
        gained += ends.last - (ends.first or 0.0)
    if math.isnan(gained):  # native histograms are no numbers
        return None
    return Gain(between_scrapes=round(gained), increase=answers.total.value)


def scrapes(reading: Reading | None) -> Scrapes:
    """Return how often the subject was scraped in the window, of how many times, and what went wrong."""
    if reading is None:
        return Scrapes(seen=0, expected=0, window_s=None, problem=NOT_WATCHED)
    if reading.window_s is None or reading.asked_at_s is None:
        return Scrapes(seen=0, expected=0, window_s=None, problem=reading.absent)
    last_s = float(reading.asked_at_s)
    first_s = last_s - float(reading.window_s)
    seen = sum(up == 1 for moment, up in reading.scrapes if first_s <= moment <= last_s)
    expected = round((last_s - first_s) / reading.scrape_interval_s) + 1
    return Scrapes(
        seen=min(seen, expected),
        expected=expected,
        window_s=float(reading.window_s),
        problem=_problem(reading, first_s, last_s, missed=expected - seen),
    )


def _problem(reading: Reading, first_s: float, last_s: float, *, missed: int) -> str | None:
    problems = []
    if missed > 0:
        problems.append(f"{missed} scrape{' was' if missed == 1 else 's were'} not answered in time")
    if reading.load_began_s is not None and first_s > reading.load_began_s:
        problems.append(f"the first scrape came {first_s - reading.load_began_s:.1f} s into the load")
    if reading.settled_s is not None and last_s < reading.settled_s:
        problems.append(f"the last scrape came {reading.settled_s - last_s:.1f} s before all had settled")
    problems += [f"{name}: {each.failed}" for name, each in reading.objectives.items() if each.failed]
    return "; ".join(problems) or None
