from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.counts import Counts
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.record import Stop
from sloproof.load.ledger import Reading
from sloproof.slo import definition
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import TrialResult
    from tests.invention import Invention


def evaluated(invention: Invention, trial: InventedTrial, *, proxied: bool = False) -> TrialResult:
    record = trial.write(invention.folder)
    objectives = definition.load(invention.folder.definition)
    return evaluate_trial(invention.folder.trial(record.folder), record, objectives, proxied=proxied)


def test_a_sound_trial_is_valid_and_both_observers_count_the_same(invention: Invention) -> None:
    result = evaluated(invention, InventedTrial(configuration="uvicorn-1"))

    assert result.valid
    assert result.integrity.violations == ()
    assert {name: (seen.client, seen.server) for name, seen in result.observations.items()} == {
        "submit-latency": (Counts(1000, 1000), Counts(1000, 1000)),
        "read-latency": (Counts(1000, 1000), Counts(1000, 1000)),
        "availability": (Counts(2000, 2000), Counts(2000, 2000)),
        "completion": (Counts(1000, 1000), Counts(1000, 1000)),
    }
    assert result.requests_by_worker == {"11": 1000, "12": 1000}
    assert result.subject_cpu_s == 2.0
    assert list(result.subject_build.items()) == [("loop", "uvloop"), ("server", "uvicorn")]


def test_slow_requests_are_bad_for_the_client_even_if_the_server_did_not_notice(invention: Invention) -> None:
    result = evaluated(invention, InventedTrial(configuration="uvicorn-1", slow=30))

    assert result.observations["submit-latency"].client == Counts(970, 1000)
    assert result.observations["submit-latency"].server == Counts(1000, 1000)


@pytest.mark.parametrize(
    ("trial", "problem"),
    [
        pytest.param(
            InventedTrial(configuration="uvicorn-1", generator=facts(dispatch_lag_p99_s=0.4)),
            "late",
            id="late",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", generator=facts(wait_ratio=0.3)), "starved", id="starved"
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", generator=facts(backlog_at_start=3)),
            "earlier phase",
            id="backlog",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", miscounted=1),
            "the subject counted 1,001 requests, the clients sent 1,000 and had 1,000 answered",
            id="a request too many",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", miscounted=-1),
            "the subject counted 999",
            id="a request too few",
        ),
    ],
)
def test_a_measurement_that_cannot_be_believed_is_invalid(
    invention: Invention, trial: InventedTrial, problem: str
) -> None:
    result = evaluated(invention, trial)

    assert not result.valid
    assert problem in "\n".join(result.problems)
    assert not result.integrity.violations


@pytest.mark.parametrize(
    ("trial", "violation"),
    [
        pytest.param(
            InventedTrial(configuration="uvicorn-1", readings={4: Reading(found=False)}),
            "1 of 1,000 accepted jobs were lost",
            id="a job that was lost",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", readings={4: Reading()}),
            "1 of 1,000 accepted jobs had not ended",
            id="a job of which nothing was said",
        ),
        pytest.param(
            InventedTrial(
                configuration="uvicorn-1",
                stop=Stop(died_before=False, exit_status=0, restart_failure="no such table: jobs\nmore"),
                readings={4: Reading(), 5: Reading()},
            ),
            "it did not come up again on its own store: no such table: jobs",
            id="a store that was left broken",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", readings={4: Reading(found=True, state="running")}),
            "1 of 1,000 accepted jobs had not ended",
            id="a job that never ends",
        ),
        pytest.param(
            InventedTrial(
                configuration="uvicorn-1",
                readings={
                    n: Reading(found=True, state="succeeded", completions=2, finished_at_s=1.7e9)
                    for n in (4, 5)
                },
            ),
            "2 of 1,000 accepted jobs ended more than once",
            id="two jobs that ended twice",
        ),
        pytest.param(
            InventedTrial(
                configuration="uvicorn-1", drain_outcomes=("answered", "reset", "timeout", "unfinished")
            ),
            "3 requests around SIGTERM were taken and never answered",
            id="requests without an answer",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", stop=Stop(died_before=True, exit_status=-9)),
            "ended by itself under load, with status -9",
            id="a crash",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", stop=Stop(died_before=False, exit_status=-15)),
            "status -15 after SIGTERM",
            id="an end that is not orderly",
        ),
        pytest.param(
            InventedTrial(configuration="uvicorn-1", stop=Stop(died_before=False, exit_status=None)),
            "was killed",
            id="no end at all",
        ),
    ],
)
def test_what_the_subject_does_wrong_violates_integrity_and_leaves_the_trial_valid(
    invention: Invention, trial: InventedTrial, violation: str
) -> None:
    result = evaluated(invention, trial)

    assert violation in "\n".join(result.integrity.violations)
    assert result.valid


def test_a_request_that_was_never_sent_was_never_taken(invention: Invention) -> None:
    trial = InventedTrial(configuration="uvicorn-1", drain_outcomes=("answered", "unsent"))

    result = evaluated(invention, trial)

    assert (result.integrity.answered, result.integrity.unanswered) == (1, 0)


@pytest.mark.parametrize("missing", ["metrics-after.prom", "metrics-before.prom"])
def test_a_subject_that_could_not_be_asked_leaves_the_clients_view_alone(
    invention: Invention, missing: str
) -> None:
    record = InventedTrial(configuration="uvicorn-1").write(invention.folder)
    folder = invention.folder.trial(record.folder)
    (folder.path / missing).unlink()

    result = evaluate_trial(folder, record, definition.load(invention.folder.definition), proxied=False)

    assert result.valid
    assert {seen.server for seen in result.observations.values()} == {None}
    assert result.observations["availability"].client == Counts(2000, 2000)


def test_a_subject_that_forgot_its_counts_has_no_say(invention: Invention) -> None:
    record = InventedTrial(configuration="uvicorn-1").write(invention.folder)
    folder = invention.folder.trial(record.folder)
    folder.metrics_before.write_text(folder.metrics_after.read_text().replace(" 1000", " 1001"))

    result = evaluate_trial(folder, record, definition.load(invention.folder.definition), proxied=False)

    assert result.valid
    assert {seen.server for seen in result.observations.values()} == {None}


def test_a_request_turned_away_after_sigterm_is_no_loss(invention: Invention) -> None:
    trial = InventedTrial(
        configuration="uvicorn-1",
        drain_outcomes=("answered", "answered", "refused", "refused"),
        statuses={2001: 503},
    )

    result = evaluated(invention, trial)

    assert (result.integrity.answered, result.integrity.refused, result.integrity.unanswered) == (1, 3, 0)
    assert result.integrity.violations == ()


@pytest.mark.parametrize(
    ("outcomes", "proxied", "unanswered"),
    [
        pytest.param(("answered", "reset", "reset"), True, 0, id="the proxy hung up when it was over"),
        pytest.param(("answered", "reset", "reset"), False, 2, id="without a proxy the subject hung up"),
        pytest.param(("reset", "answered", "refused"), True, 1, id="cut off while the listener was open"),
        pytest.param(("timeout", "answered", "timeout"), True, 2, id="a time-out is no hanging up"),
        pytest.param(("reset", "reset"), True, 0, id="no listener from the beginning"),
    ],
)
def test_a_port_proxy_that_hangs_up_is_no_loss_once_the_listener_has_closed(
    invention: Invention,
    outcomes: tuple[str, ...],
    proxied: bool,
    unanswered: int,
) -> None:
    trial = InventedTrial(configuration="uvicorn-1", drain_outcomes=outcomes)

    result = evaluated(invention, trial, proxied=proxied)

    assert result.integrity.unanswered == unanswered
    assert bool(result.integrity.violations) == bool(unanswered)


def test_what_the_engine_knows_of_an_end_is_told(invention: Invention) -> None:
    stop = Stop(died_before=True, exit_status=-9, ending="out of memory (limit 64m)")

    result = evaluated(invention, InventedTrial(configuration="uvicorn-1", stop=stop))

    assert result.integrity.violations[0].endswith("with status -9 (out of memory (limit 64m))")
