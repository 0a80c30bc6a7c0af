from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.jobs import Jobs
from sloproof.analysis.samples import Outcome, Phase, Samples
from sloproof.analysis.scored import Scored
from sloproof.analysis.timeline import Overlay, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def samples(
    intended_s: ArrayLike,
    latency_s: ArrayLike = 0.01,
    *,
    status: int = 200,
    endpoints: Sequence[str] = ("GET /",),
    phase: Phase = Phase.LOAD,
) -> Samples:
    """Return requests whose endpoints take turns; an infinite latency is a time-out."""
    intended = np.asarray(intended_s, dtype=np.float64)
    latency = np.broadcast_to(np.asarray(latency_s, dtype=np.float64), intended.shape)
    answered = np.isfinite(latency)
    return Samples(
        phase=np.array([phase] * len(intended), dtype=np.str_),
        endpoint=np.array([endpoints[i % len(endpoints)] for i in range(len(intended))], dtype=np.str_),
        intended_s=intended,
        dispatched_s=intended,
        start_s=intended,
        end_s=np.where(answered, intended + latency, np.nan),
        status=np.where(answered, status, 0).astype(np.int16),
        outcome=np.where(answered, Outcome.ANSWERED, Outcome.TIMEOUT),
    )


def timelines(trials: Sequence[Samples]) -> dict[str, Timeline]:
    return Overlay.joined([Overlay.of(Scored.of(each, Jobs.none()).requests) for each in trials]).timelines()


def test_trials_are_laid_upon_each_other_at_their_first_intended_start() -> None:
    early, late = np.linspace(2, 4, 201), np.linspace(50, 52, 201)

    timeline = timelines([samples(early, 0.001), samples(late, 0.1)])["GET /"]

    assert (timeline.bin_s, timeline.trials) == (0.5, 2)
    assert timeline.intended == (100, 100, 100, 102)
    assert timeline.p50_s == pytest.approx([0.001] * 4)
    assert timeline.p99_s == pytest.approx([0.1] * 4)
    assert timeline.max_s == pytest.approx([0.1] * 4)
    assert timeline.bad == (0, 0, 0, 0)


def test_a_backlog_shows_as_answers_that_come_later_than_they_were_due() -> None:
    stalled = np.array([0.25] * 50 + [0.75] * 50 + [1.25] * 50 + [1.75] * 50 + [0.0, 2.0])
    ends_at_s = np.where(stalled < 1.0, 1.2, stalled + 0.01)

    timeline = timelines([samples(stalled, ends_at_s - stalled)])["GET /"]

    assert timeline.intended == (51, 50, 50, 51)
    assert timeline.answered == (0, 0, 151, 50)  # the last answer comes after the last bin
    assert timeline.max_s[0] == pytest.approx(1.2)


def test_every_endpoint_has_the_same_bins_and_only_its_own_requests() -> None:
    found = timelines([samples(np.linspace(0, 3, 301), endpoints=("GET /", "POST /"))])

    assert list(found) == ["GET /", "POST /"]
    assert {each.bin_s for each in found.values()} == {0.5}
    assert [sum(each.intended) for each in found.values()] == [151, 150]


def test_what_was_not_served_is_bad_and_what_was_never_answered_endlessly_late() -> None:
    refused = timelines([samples(np.linspace(0, 1, 11), status=503)])["GET /"]
    timed_out = timelines([samples(np.linspace(0, 1, 11), inf)])["GET /"]

    assert refused.bad == timed_out.bad == (5, 6)
    assert refused.answered == (5, 5)
    assert timed_out.answered == (0, 0)
    assert timed_out.max_s == (inf, inf)


def test_a_p99_of_few_requests_is_not_told_and_an_empty_bin_has_no_latency() -> None:
    timeline = timelines([samples([0.0, 0.1, 2.0])])["GET /"]

    assert timeline.intended == (2, 0, 0, 1)
    assert timeline.p99_s == (None,) * 4
    assert timeline.max_s[1] is None
    assert timeline.p50_s[0] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("seconds", "bins", "bin_s"),
    [
        pytest.param(0.2, 1, 0.2, id="shorter than a bin"),
        pytest.param(7.0, 14, 0.5, id="as many as are long enough"),
        pytest.param(600.0, 60, 10.0, id="at most sixty"),
    ],
)
def test_bins_are_few_and_not_too_short(seconds: float, bins: int, bin_s: float) -> None:
    timeline = timelines([samples(np.linspace(0, seconds, 1201))])["GET /"]

    assert len(timeline.intended) == len(timeline.max_s) == bins
    assert timeline.bin_s == pytest.approx(bin_s)
    assert sum(timeline.intended) == 1201


@given(st.floats(0.01, 500), st.integers(1, 400))
def test_requests_stand_in_the_bins_whose_edges_hold_them(span_s: float, n: int) -> None:
    bins = len(timelines([samples([0.0, span_s])])["GET /"].intended)
    edges_s = np.linspace(0, span_s, bins + 1)
    intended_s = np.concatenate([edges_s, np.nextafter(edges_s[1:], 0), np.linspace(0, span_s, n)])

    timeline = timelines([samples(intended_s)])["GET /"]

    assert list(timeline.intended) == np.histogram(intended_s, edges_s)[0].tolist()


def test_one_request_makes_one_bin() -> None:
    assert timelines([samples([4.0])])["GET /"].intended == (1,)


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param([], id="no trial"),
        pytest.param([samples([])], id="no request"),
        pytest.param([samples([1.0, 2.0], phase=Phase.WARMUP)], id="none in the load phase"),
    ],
)
def test_nothing_scored_makes_no_timeline(trials: list[Samples]) -> None:
    assert timelines(trials) == {}
