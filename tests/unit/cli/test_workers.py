"""Who sends the load: what the options make of the experiment's own word, and what they refuse."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from sloproof.cli import main
from sloproof.cli.workers import WorkersError, add_workers, workers_of
from sloproof.experiment import spec
from sloproof.experiment.record import BackendName
from sloproof.load.workers import Workers

ROOT = Path(__file__).parents[3]
QUICK = ROOT / "experiments" / "quick.yaml"


def chosen(*arguments: str, of_file: int = 1, backend: BackendName = BackendName.PROCESS) -> Workers:
    parser = argparse.ArgumentParser()
    add_workers(parser)
    experiment = spec.load(QUICK)
    experiment = experiment.model_copy(
        update={"load": experiment.load.model_copy(update={"workers": of_file})}
    )
    return workers_of(parser.parse_args(arguments), experiment, backend)


def test_the_file_decides_where_no_option_does() -> None:
    assert chosen() == Workers()
    assert chosen(of_file=4) == Workers(local=4)


def test_an_option_is_taken_instead_of_the_file() -> None:
    assert chosen("--load-workers", "2", of_file=4) == Workers(local=2)


def test_workers_of_other_machines_send_the_load_alone_unless_asked_otherwise() -> None:
    alone = chosen("--expect-workers", "2", "--master-bind-host", "192.0.2.7", of_file=4)
    assert alone == Workers(local=0, remote=2, bind_host="192.0.2.7", bind_port=5557)
    beside = chosen("--expect-workers", "2", "--load-workers", "1", "--master-bind-port", "6000")
    assert beside == Workers(local=1, remote=2, bind_port=6000)


@pytest.mark.parametrize(
    ("arguments", "backend", "message"),
    [
        pytest.param(
            ["--master-bind-port", "6000"],
            BackendName.PROCESS,
            "--master-bind-port is for workers of other machines: add --expect-workers",
            id="an address for nobody",
        ),
        pytest.param(
            ["--expect-workers", "1", "--subject-host", "192.0.2.7"],
            BackendName.DOCKER,
            "no other machine can reach a container",
            id="a container",
        ),
        pytest.param(
            ["--expect-workers", "64", "--load-workers", "1"],
            BackendName.PROCESS,
            "1 local and 64 other workers; a generator has 1 to 64",
            id="too many in all",
        ),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], backend: BackendName, message: str) -> None:
    with pytest.raises(WorkersError, match=message):
        chosen(*arguments, backend=backend)


def test_more_workers_than_users_are_refused_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quick.yaml"
    text = QUICK.read_text().replace("users: 64", "users: 3").replace("../", f"{ROOT}/")
    path.write_text(text)

    status = main(
        [
            "run",
            str(path),
            "--reports",
            str(tmp_path / "reports"),
            "--backend",
            "process",
            "--load-workers",
            "4",
        ]
    )

    assert status == 2
    assert "3 users for 4 workers; each takes at least one" in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()
