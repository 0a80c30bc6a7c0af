"""The generator sends along a shape, and what a file has recorded, to a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.files import read_samples
from sloproof.load.process import LoadError
from sloproof.load.protocol import RunPhase
from sloproof.load.shapes import Replay, Shape, Step, Steps

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.load.harness import RunningSubject, StartLoad, WriteLocustfile

READ = """
    @task
    def read(self):
        self.client.get("/status/200")
"""


def along(shape: Shape, *, rate: float, duration_s: float, arrival: Arrival = Arrival.CONSTANT) -> RunPhase:
    return RunPhase(phase=Phase.LOAD, arrival=arrival, rate=rate, duration_s=duration_s, seed=1, shape=shape)


def test_the_requests_of_each_second_are_as_many_as_the_steps_say(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile(READ), subject.host)
    steps = Steps(steps=(Step(at_s=1, to_per_s=120), Step(at_s=2, to_per_s=20), Step(at_s=3, to_per_s=60)))
    facts = process.phase(along(steps, rate=40, duration_s=4))
    process.finish()
    samples = read_samples(tmp_path / "load")
    since_s = samples.intended_s - samples.intended_s[0]
    assert facts.scheduled == facts.sent == facts.completed == 240
    assert subject.seen() == {"GET /status/200": 240}
    # The k-th of a second is k of its gaps after its beginning; half the least gap keeps rounding out.
    counts, _ = np.histogram(since_s + 0.5 / 120, bins=[0, 1, 2, 3, 4])
    assert counts.tolist() == [40, 120, 20, 60]
    assert (samples.start_s >= samples.intended_s).all()


def test_recorded_arrivals_are_sent_when_they_came_but_faster(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    recording = tmp_path / "arrivals.txt"
    recording.write_text("# a burst, and one more\n100\n100\n100.5\n102\n")
    process = load(locustfile(READ), subject.host)
    facts = process.phase(along(Replay(file=recording, speed=2), rate=1, duration_s=60))
    process.finish()
    samples = read_samples(tmp_path / "load")
    assert facts.scheduled == facts.completed == 4
    assert samples.intended_s - samples.intended_s[0] == pytest.approx([0, 0, 0.25, 1])


def test_a_recording_that_is_wrong_ends_the_generator_with_what_is_wrong(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    recording = tmp_path / "arrivals.txt"
    recording.write_text("soon\n")
    process = load(locustfile(READ), subject.host)
    with pytest.raises(LoadError, match=r"arrivals\.txt:1:1: 'soon' is no time"):
        process.phase(along(Replay(file=recording), rate=1, duration_s=1))
