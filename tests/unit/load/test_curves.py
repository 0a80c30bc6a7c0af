"""Whatever the shape: its count is the integral of its rate, and its times are the inverse of its count."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.load.arrivals import Arrival, plan
from sloproof.load.curves import Lines, Wave, curve
from sloproof.load.shapes import CONSTANT, Diurnal, Ramp, RateShape, Recording, Spike, Step, Steps

DURATION_S = 10.0
rates = st.floats(0.5, 200)
times = st.floats(0.01, 9.99)
RATE_SHAPES = st.one_of(
    st.just(CONSTANT),
    st.builds(Ramp, to_per_s=rates, over_s=st.none() | st.floats(0.01, DURATION_S)),
    st.builds(
        lambda at, to: Steps(
            steps=tuple(Step(at_s=at_s, to_per_s=rate) for at_s, rate in zip(at, to, strict=False))
        ),
        st.lists(times, min_size=1, max_size=5, unique=True).map(sorted),
        st.lists(rates, min_size=5, max_size=5),
    ),
    st.builds(Spike, to_per_s=rates, at_s=times, for_s=st.floats(0.01, DURATION_S)),
    st.builds(Diurnal, to_per_s=rates, period_s=st.floats(0.5, 30)),
)
recordings = (
    st.lists(st.floats(0, 100), min_size=1, max_size=300)
    .filter(lambda offsets: max(offsets) > 0.001)
    .map(lambda offsets: Recording(np.sort(np.array([0.0, *offsets]))))
)
SHAPES = RATE_SHAPES | recordings


@given(RATE_SHAPES, rates)
def test_the_count_is_the_integral_of_the_rate(shape: RateShape, rate: float) -> None:
    expected = curve(shape, rate=rate, duration_s=DURATION_S)
    assert isinstance(expected, Lines | Wave)
    width_s = DURATION_S / 20_000
    middles_s = (np.arange(20_000) + 0.5) * width_s
    summed = np.cumsum(expected.rate_at(middles_s)) * width_s
    # A jump inside a bin costs at most the bin, and there are five at most.
    counts = expected.count_until(middles_s + width_s / 2)
    assert np.abs(counts - summed).max() < 5 * 200 * width_s


@given(RATE_SHAPES, rates)
def test_the_rate_begins_as_asked_for_and_the_phase_takes_as_long(shape: RateShape, rate: float) -> None:
    expected = curve(shape, rate=rate, duration_s=DURATION_S)
    assert isinstance(expected, Lines | Wave)
    assert expected.rate_at(0).item() == pytest.approx(rate)
    assert expected.duration_s == pytest.approx(DURATION_S)


@given(RATE_SHAPES, rates)
def test_a_time_is_when_the_count_is_reached(shape: RateShape, rate: float) -> None:
    expected = curve(shape, rate=rate, duration_s=DURATION_S)
    counts = np.linspace(0, expected.count_until(DURATION_S), 1_000)
    assert expected.count_until(expected.time_of(counts)) == pytest.approx(counts, abs=1e-9)


@given(SHAPES, st.sampled_from(Arrival), rates, st.integers(0, 2**32))
def test_a_plan_has_as_many_arrivals_as_expected_in_order_and_within_the_phase(
    shape: RateShape | Recording, arrival: Arrival, rate: float, seed: int
) -> None:
    expected = curve(shape, rate=rate, duration_s=DURATION_S)
    planned, again = (
        plan(arrival, rate=rate, duration_s=DURATION_S, weights=[2, 1], seed=seed, shape=shape)
        for _ in range(2)
    )
    assert len(planned) == round(expected.count_until(expected.duration_s).item())
    assert (np.diff(planned.offsets_s) >= 0).all()
    assert ((planned.offsets_s >= 0) & (planned.offsets_s < expected.duration_s)).all()
    assert planned.offsets_s.tolist() == again.offsets_s.tolist()
    assert planned.tasks.tolist() == again.tasks.tolist()


@given(RATE_SHAPES, rates)
def test_under_the_constant_law_each_arrival_comes_when_as_many_are_expected(
    shape: RateShape, rate: float
) -> None:
    planned = plan(
        Arrival.CONSTANT, rate=rate, duration_s=DURATION_S, weights=[1], seed=1, shape=shape
    ).offsets_s
    expected = curve(shape, rate=rate, duration_s=DURATION_S)
    assert expected.count_until(planned) == pytest.approx(np.arange(len(planned)), abs=1e-9)


@pytest.mark.parametrize(
    "shape",
    [
        CONSTANT,
        Ramp(to_per_s=1_000),
        Ramp(to_per_s=10, over_s=4),
        Steps(steps=(Step(at_s=2, to_per_s=900), Step(at_s=7, to_per_s=20))),
        Spike(to_per_s=3_000, at_s=8, for_s=1),
        Diurnal(to_per_s=900, period_s=3),
    ],
    ids=lambda shape: shape.kind,
)
def test_poisson_arrivals_are_spread_as_the_shape_expects(shape: RateShape) -> None:
    """Kolmogorov and Smirnov's distance of uniforms is above 1.95/√n once in a thousand."""
    expected = curve(shape, rate=300, duration_s=DURATION_S)
    planned = plan(Arrival.POISSON, rate=300, duration_s=DURATION_S, weights=[1], seed=5, shape=shape)
    n = len(planned)
    uniforms = expected.count_until(planned.offsets_s) / expected.count_until(DURATION_S)
    distance = max(
        np.max(np.arange(1, n + 1) / n - uniforms),
        np.max(uniforms - np.arange(n) / n),
    )
    assert 0.2 / math.sqrt(n) < distance < 1.95 / math.sqrt(n)  # nearer than chance is not Poisson either


def test_poisson_counts_per_second_vary_as_much_as_the_shape_expects_of_each() -> None:
    """Given the number in all, the counts are multinomial: they vary a little less than they are large."""
    shape = Ramp(to_per_s=150)
    counts = np.array(
        [
            np.histogram(
                plan(Arrival.POISSON, rate=50, duration_s=10, weights=[1], seed=seed, shape=shape).offsets_s,
                bins=10,
                range=(0, 10),
            )[0]
            for seed in range(2_000)
        ]
    )
    expected = np.arange(55, 155, 10)
    share = expected / expected.sum()
    assert counts.mean(axis=0) == pytest.approx(expected, rel=0.01)
    assert counts.var(axis=0) == pytest.approx(expected * (1 - share), rel=0.12)


def test_constant_arrivals_follow_a_step_at_once() -> None:
    shape = Steps(steps=(Step(at_s=1, to_per_s=4), Step(at_s=2, to_per_s=1)))
    planned = plan(Arrival.CONSTANT, rate=2, duration_s=4, weights=[1], seed=1, shape=shape)
    assert planned.offsets_s.tolist() == [0, 0.5, 1, 1.25, 1.5, 1.75, 2, 3]


def test_a_wave_turns_after_half_a_period_and_is_back_after_the_whole() -> None:
    wave = curve(Diurnal(to_per_s=30, period_s=4), rate=10, duration_s=8)
    assert isinstance(wave, Wave)
    assert wave.rate_at([0, 1, 2, 3, 4, 6]).tolist() == pytest.approx([10, 20, 30, 20, 10, 30])
    assert wave.count_until([4, 8]).tolist() == pytest.approx([80, 160])


@given(recordings, st.floats(0.1, 10))
def test_a_recording_is_played_as_it_was_but_for_its_speed(recording: Recording, speed: float) -> None:
    played = recording.played(speed)
    planned = plan(Arrival.CONSTANT, rate=1, duration_s=math.inf, weights=[1], seed=1, shape=played)
    assert planned.offsets_s == pytest.approx(recording.offsets_s / speed)
    assert curve(played, rate=1, duration_s=math.inf).duration_s == pytest.approx(recording.length_s / speed)


def test_a_recording_is_cut_where_the_phase_ends_and_ends_the_phase_where_it_ends() -> None:
    recording = Recording(np.array([0.0, 1.0, 2.0, 3.0]))
    cut, whole = (curve(recording, rate=1, duration_s=duration_s) for duration_s in (2.0, 60.0))
    assert (cut.duration_s, cut.count_until(2.0).item()) == (2.0, 2)
    assert (whole.duration_s, whole.count_until(4.0).item()) == (4.0, 4)  # a gap of 1 s after the last too
