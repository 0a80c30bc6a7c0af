from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.capacity.observation import STABILITY
from sloproof.analysis.samples import Phase
from sloproof.analysis.scored import Scored
from sloproof.observe import client
from sloproof.observe.margins import margins
from sloproof.observe.usage import usage
from sloproof.slo import definition
from tests.invention import REQUESTS, InventedTrial

if TYPE_CHECKING:
    from tests.invention import Invention


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(InventedTrial(configuration="uvicorn-1"), id="all well"),
        pytest.param(InventedTrial(configuration="uvicorn-1", latency_s=0.15), id="reads too slow"),
        pytest.param(InventedTrial(configuration="uvicorn-1", slow=10), id="exactly one percent slow"),
        pytest.param(InventedTrial(configuration="uvicorn-1", slow=11), id="a little more"),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", statuses=dict.fromkeys(range(50), 503)), id="refusals"
        ),
    ],
)
def test_every_margin_has_the_sign_of_the_sli_that_clients_count(
    invention: Invention, trial: InventedTrial
) -> None:
    folder = invention.folder.trial(trial.write(invention.folder).folder)
    objectives = definition.load(invention.folder.definition).objectives

    found = margins(objectives, Scored.of(folder.samples(), folder.jobs()))

    assert set(found) == {*(each.name for each in objectives), STABILITY}
    assert found[STABILITY] == -math.inf
    for each in objectives:
        counts = client.count(each.indicator, Scored.of(folder.samples(), folder.jobs()))
        assert counts is not None
        assert (found[each.name] <= 0) is (counts.good >= each.target * counts.total)


def test_a_trial_without_load_has_no_margin(invention: Invention) -> None:
    folder = invention.folder.trial(InventedTrial(configuration="uvicorn-1").write(invention.folder).folder)
    objectives = definition.load(invention.folder.definition).objectives

    no_load = Scored.of(folder.samples().select(phase=Phase.DRAIN), folder.jobs())

    assert margins(objectives, no_load) == {}


def test_what_was_used_comes_from_the_gains_of_counters_over_the_time_of_the_load(
    invention: Invention,
) -> None:
    folder = invention.folder.trial(InventedTrial(configuration="uvicorn-1").write(invention.folder).folder)
    scored = Scored.of(folder.samples(), folder.jobs())

    used = usage(folder.gain(), scored, generator_cpu=0.2, requests=REQUESTS, seconds=4)

    assert used.subject_cpu == pytest.approx(0.5)
    assert used.worker_cpu == pytest.approx(0.25)
    assert used.generator_cpu == 0.2
    assert used.client_s == pytest.approx(0.02)
    assert used.loop_lag_s is None


def test_a_subject_that_tells_nothing_has_used_what_nobody_knows(invention: Invention) -> None:
    folder = invention.folder.trial(InventedTrial(configuration="uvicorn-1").write(invention.folder).folder)
    scored = Scored.of(folder.samples(), folder.jobs())

    used = usage(None, scored, generator_cpu=0.2, requests=REQUESTS, seconds=4)

    assert (used.subject_cpu, used.worker_cpu, used.server_s) == (None, None, None)
