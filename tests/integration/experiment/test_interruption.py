"""Runs that end before they should, by signals at any moment, by a full disk: no finished trial is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sloproof.experiment import spec
from sloproof.experiment.plan import plan
from sloproof.subject.owner import LABEL
from tests.integration.experiment.harness import (
    ROOT,
    WITHIN_S,
    ended,
    processes_of,
    results,
    sloproof,
    small,
    start,
    the_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import docker

# How often each of the two backends is interrupted; a long soak has more.
INTERRUPTIONS = int(os.environ.get("INTERRUPTIONS", "2"))
SEED = int(os.environ.get("INTERRUPTIONS_SEED", "4"))
BLOCKS = 2
# A block takes about 15 seconds, and one that is always interrupted would never end.
MOMENTS_S = (0.5, 14.0)
# 36 MiB: a trial of the small experiment needs 17 and leaves less than 1.
DISK = "size=36m"


@pytest.fixture(params=["process", "docker"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    return str(request.param)


def containers(engine: docker.DockerClient) -> list[str]:
    return [str(each.name) for each in engine.containers.list(all=True, filters={"label": LABEL})]


def test_a_run_that_is_interrupted_again_and_again_ends_as_planned(
    folder: Path, backend: str, request: pytest.FixtureRequest
) -> None:
    dice = random.Random(f"{SEED} {backend}")  # noqa: S311 - not a secret
    process = start(folder, small(blocks=BLOCKS), backend=backend)
    interruptions = 0
    while True:
        if interruptions == INTERRUPTIONS:
            status, _, error = ended(process)
            assert status in {1, 3, 4}, error
            break
        time.sleep(dice.uniform(*MOMENTS_S))
        process.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        process.communicate(timeout=WITHIN_S)
        interruptions += 1
        made = list((folder / "reports").glob("*/run.json"))
        process = sloproof("run", "--resume", made[0].parent) if made else _again(folder, backend)
    outcome = results(folder)
    experiment = spec.load(folder / "small.yaml")
    planned = plan(experiment.configurations(), blocks=BLOCKS, seed=experiment.seed)
    assert outcome["complete"]
    assert [
        (trial["block"], trial["configuration"]) for trial in outcome["trials"] if not trial["repeat"]
    ] == [(each.block, each.configuration.id) for each in planned]
    for trial in outcome["trials"]:
        assert trial["observations"]["availability"]["client"]["total"] == 120
        assert trial["integrity"]["violations"] == []
    assert processes_of(folder) == []
    if backend == "docker":
        assert containers(request.getfixturevalue("docker_engine")) == []
    again = ended(sloproof("report", the_run(folder)))
    assert again[0] == status, again[2]
    assert results(folder) == outcome


def _again(folder: Path, backend: str) -> subprocess.Popen[str]:
    """Start anew what was killed before it had made the folder of its run."""
    for empty in (folder / "reports").glob("*"):
        for path in sorted(empty.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        empty.rmdir()
    return start(folder, small(blocks=BLOCKS), backend=backend)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run that was killed in its second trial."""
    folder = tmp_path_factory.mktemp("killed")
    process = start(folder, small(blocks=BLOCKS))
    deadline = time.monotonic() + WITHIN_S
    while len(list((folder / "reports").glob("*/trials/*/metrics-before.prom"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    return folder


@pytest.fixture
def interrupted(folder: Path, killed: Path) -> Path:
    """Return the folder of a run that was killed in its second trial, to do with as one likes."""
    shutil.copytree(killed, folder, dirs_exist_ok=True)
    return the_run(folder)


def _a_changed_slo(folder: Path) -> None:
    path = folder / "small.yaml"
    path.write_text(path.read_text().replace(f"{ROOT}/slo/jobs.yaml", str(folder / "slo.yaml")))
    (folder / "slo.yaml").write_text((ROOT / "slo" / "jobs.yaml").read_text() + "\n")


def _another_machine(folder: Path) -> None:
    path = the_run(folder) / "run.json"
    facts = json.loads(path.read_text())
    facts["environment"]["cpus"] = 64
    path.write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda folder: (folder / "small.yaml").write_text(small(blocks=3)),
            "cannot go on: changed since it began: experiment",
            id="the experiment",
        ),
        pytest.param(_a_changed_slo, "changed since it began: experiment, slo", id="the SLO file"),
        pytest.param(_another_machine, "cannot go on here: cpus was 64 and is", id="the machine"),
        pytest.param(lambda folder: (folder / "small.yaml").unlink(), "small.yaml: no such file", id="gone"),
    ],
)
def test_a_run_goes_on_only_as_it_began(
    interrupted: Path, folder: Path, change: Callable[[Path], object], message: str
) -> None:
    before = (interrupted / "trials.jsonl").read_text()
    change(folder)

    status, _, error = ended(sloproof("run", "--resume", interrupted))

    assert status == 2
    assert message in error
    assert (interrupted / "trials.jsonl").read_text() == before


def test_a_run_that_goes_on_is_not_run_by_a_second_process(folder: Path) -> None:
    with start(folder, small()) as process:
        deadline = time.monotonic() + WITHIN_S
        while not list((folder / "reports").glob("*/trials/*/subject.log")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        status, _, error = ended(sloproof("run", "--resume", the_run(folder)))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WITHIN_S)

    assert status == 2
    assert "is still being run by another process" in error


def test_a_line_cut_short_by_a_crash_is_run_again(interrupted: Path, folder: Path) -> None:
    journal = interrupted / "trials.jsonl"
    journal.write_text(journal.read_text() + '{"folder": "b01-')

    status, _, error = ended(sloproof("run", "--resume", interrupted))

    assert status in {3, 4}, error
    assert len([trial for trial in results(folder)["trials"] if not trial["repeat"]]) == 2 * BLOCKS
    assert results(folder)["set_aside"] == 1
    assert processes_of(folder) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """Return a folder on a disk with room for two trials or so."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(path)],  # noqa: S607 - where root finds it
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root, outside of a container, may mount a small disk")
    return path


def test_a_full_disk_ends_the_run_before_a_trial_is_spoiled_and_room_lets_it_go_on(
    small_disk: Path, folder: Path
) -> None:
    ballast = small_disk / "ballast"
    try:
        ballast.write_bytes(bytes(22 * 2**20))
        path = folder / "small.yaml"
        path.write_text(small())

        status, out, error = ended(
            sloproof("run", path, "--reports", small_disk / "reports", "--backend", "process")
        )

        assert status == 5
        assert "MiB are free, and a trial may need" in error
        made = the_run(small_disk)
        assert f"Go on with: sloproof run --resume {made}" in out
        ballast.unlink()
        status, _, error = ended(sloproof("run", "--resume", made))
        assert status in {3, 4}, error
    finally:
        subprocess.run(["umount", "-l", str(small_disk)], check=True)  # noqa: S607 - as above


def test_a_disk_that_fills_up_within_a_trial_ends_the_run_in_words_and_keeps_what_was_written(
    small_disk: Path, folder: Path
) -> None:
    try:
        path = folder / "small.yaml"
        path.write_text(small(blocks=4))
        process = sloproof("run", path, "--reports", small_disk / "reports", "--backend", "process")
        deadline = time.monotonic() + WITHIN_S
        while not list((small_disk / "reports").glob("*/trials.jsonl")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while not list((small_disk / "reports").glob("*/trials/*/metrics-before.prom"))[1:]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with (small_disk / "ballast").open("wb") as ballast:
            try:
                while True:
                    ballast.write(bytes(2**16))
                    ballast.flush()
            except OSError:
                pass

        status, _, error = ended(process)

        assert status == 5
        assert "No space left on device" in error or "MiB are free" in error
        assert "Traceback" not in error
        made = the_run(small_disk)
        assert len((made / "trials.jsonl").read_text().splitlines()) >= 1
    finally:
        subprocess.run(["umount", "-l", str(small_disk)], check=True)  # noqa: S607 - as above
    assert processes_of(folder) == []
