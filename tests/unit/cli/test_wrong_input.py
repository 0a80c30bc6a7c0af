"""What a user gets wrong: the message names the place, the status is 2, and no traceback is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
QUICK = (ROOT / "experiments" / "quick.yaml").read_text()
SETTINGS = (ROOT / "service" / "settings.schema.json").read_text()
JOBS = (ROOT / "slo" / "jobs.yaml").read_text()


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text, f"{old!r} is no longer in the file"
        return text.replace(old, new, 1)

    return change


EXPERIMENTS = [
    pytest.param(replaced("kind: matrix", "kind: drill"), r":\d+:\d+: .*kind.*matrix", id="an unknown kind"),
    pytest.param(replaced("blocks: 6 ", "blocks: six "), r":\d+:\d+: .*blocks", id="a word for a number"),
    pytest.param(
        replaced("blocks: 6 ", "blocks: 6\nuntil_decided: {blocks: 6} "),
        r"until_decided\.blocks: 6 in all leave none to go on with after 6",
        id="no block to go on with",
    ),
    pytest.param(replaced("blocks: 6 ", "blocks: 0 "), r":\d+:\d+: .*blocks", id="no block at all"),
    pytest.param(
        replaced("rate: 150/s", "rate: 150"),
        r":\d+:\d+: .*'150' has no unit of time: write 150/s",
        id="a bare rate",
    ),
    pytest.param(
        replaced("duration: 22s", "duration: 12"),
        r":\d+:\d+: .*'12' has no unit",
        id="a duration without a unit",
    ),
    pytest.param(
        replaced("blocks: 6 ", "compare: {margin: 5}\nblocks: 6 "),
        r":\d+:\d+: margin: '5' is not a margin: write a percentage, e.g. 5%",
        id="a margin without a unit",
    ),
    pytest.param(
        replaced("blocks: 6 ", "compare: {budget_margin: 100%}\nblocks: 6 "),
        r":\d+:\d+: budget_margin: '100%' is not between 0 and 100 %",
        id="a margin of everything",
    ),
    pytest.param(replaced("users: 64", "usres: 64"), r":\d+:\d+: .*'usres'.*'users'", id="a misspelt key"),
    pytest.param(
        replaced("name: quick", "name: Quick Run"), r":\d+:\d+: .*name", id="a name that is no slug"
    ),
    pytest.param(
        replaced("arrival: poisson", "arrival: burst"), r":\d+:\d+: .*arrival", id="an unknown arrival"
    ),
    pytest.param(
        replaced("slo: ../slo/jobs.yaml", "slo: ../slo/none.yaml"),
        r"slo: there is no file",
        id="a missing SLO file",
    ),
    pytest.param(
        replaced("locustfile.py", "none.py"), r"load.locustfile: there is no file", id="a missing Locust file"
    ),
    pytest.param(
        replaced("{workers}", "{worker}"), r"unknown placeholder \{worker\}", id="an unknown placeholder"
    ),
    pytest.param(
        replaced("{workers}", "2"), r"factor 'workers' changes nothing", id="a factor that is not used"
    ),
    pytest.param(replaced("workers: [1, 4]", "workers: [1, 1]"), r"names 1 twice", id="a level named twice"),
    pytest.param(
        replaced("workers: [1, 4]", "workers: []"), r":\d+:\d+: .*workers", id="a factor without levels"
    ),
    pytest.param(
        replaced("subject:\n", "subject:\n  comand: x\n"),
        r":\d+:\d+: .*'comand'",
        id="a misspelt key of the subject",
    ),
    pytest.param(
        replaced("rate: 150/s", "rate: 900000/s"),
        r"load: .*19,800,000 requests; a phase has 1 to",
        id="too much load",
    ),
    pytest.param(replaced("duration: 22s", "duration: 1ms"), r"duration: .*0 requests", id="no load"),
    pytest.param(replaced("users: 64", "users: 5000"), r":\d+:\d+: .*users", id="too many users"),
    pytest.param(
        replaced("users: 64", "timeout: 0s"), r":\d+:\d+: .*timeout.*longer than 0", id="no time to answer"
    ),
    pytest.param(
        replaced("{port}", "{port:>9}"),
        r"a name in braces and nothing more",
        id="a placeholder with a format",
    ),
    pytest.param(
        replaced("SERVICE_DATABASE:", "SERVICE=DATABASE:"), r":\d+:\d+: ", id="an environment name with ="
    ),
    pytest.param(
        replaced("server: [uvicorn, hypercorn]\n  workers: [1, 4]", "server: [a-b, a]\n  workers: [c, b-c]"),
        r"two configurations would both be called 'a-b-c'",
        id="two configurations of one name",
    ),
    pytest.param(replaced("load:\n", "load: [\n"), r":\d+:\d+: ", id="YAML that does not parse"),
    pytest.param(
        replaced("SERVICE_WORKERS:", "SERVICE_WORKRES:"),
        r":\d+:\d+: 'SERVICE_WORKRES' is no setting of the subject, did you mean 'SERVICE_WORKERS'\?",
        id="a misspelt setting",
    ),
    pytest.param(
        replaced("blocks: 6 ", "  SERVICE_SYNCHRONUS: [full]\nblocks: 6 "),
        r":\d+:\d+: 'SERVICE_SYNCHRONUS' is no setting .* 'SERVICE_SYNCHRONOUS'\?",
        id="a factor that is a misspelt setting",
    ),
    pytest.param(
        replaced("blocks: 6 ", "  SERVICE_PORT: [1, 2]\nblocks: 6 "),
        r"'SERVICE_PORT' is a factor and under env too",
        id="a setting that is fixed and varied",
    ),
    pytest.param(
        replaced("settings.schema.json ", "none.json "),
        r"subject.settings: there is no file",
        id="no settings",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../slo"),
        r"subject.container.build: there is no file .*Dockerfile",
        id="a folder without a Dockerfile",
    ),
    pytest.param(
        replaced("build: ../service", "read_only: true #"),
        r":\d+:\d+: .*",
        id="a container without an image",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    image: x"),
        r"name the image in one way",
        id="a container with two images",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    memory: lots"),
        r"memory: 'lots' is no size: write e.g. 512m",
        id="a limit that is no size",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    memory: 1k"),
        r"less than the 6m",
        id="no memory",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    cpus: '{workers}x'"),
        r"cpus: '1x' is no number of processors",
        id="a limit that is wrong in one configuration",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    cpuset: both"),
        r"cpuset: 'both' names no processors",
        id="a set of no processors",
    ),
    pytest.param(
        replaced("build: ../service", "build: ../service\n    folder: data"),
        r"'data' is not a folder inside the container",
        id="a relative folder in the container",
    ),
    pytest.param(
        replaced("blocks: 6 ", "exclude: [{sever: uvicorn}]\nblocks: 6 "),
        r"exclude: there is no factor 'sever', did you mean 'server'\?",
        id="an exclusion by a misspelt factor",
    ),
    pytest.param(
        replaced("blocks: 6 ", "exclude: [{server: uvicron}]\nblocks: 6 "),
        r"exclude: server has no level uvicron, did you mean 'uvicorn'\?",
        id="an exclusion of a level there is not",
    ),
    pytest.param(
        replaced("blocks: 6 ", "exclude: [{server: uvicorn}, {server: hypercorn}]\nblocks: 6 "),
        r"exclude: nothing is left to run",
        id="everything excluded",
    ),
    pytest.param(
        replaced("blocks: 6 ", "include: [{server: uvicorn}]\nblocks: 6 "),
        r"include: give workers too",
        id="half an inclusion",
    ),
    pytest.param(
        replaced("blocks: 6 ", "include: [{server: uvicorn, workers: 4}]\nblocks: 6 "),
        r"two configurations would both be called 'uvicorn-4'",
        id="an inclusion of what is there",
    ),
    pytest.param(
        replaced("blocks: 6 ", "profiles: {light: {rate: 1}}\nblocks: 6 "),
        r":\d+:\d+: .*'1' has no unit of time",
        id="a profile with a bare rate",
    ),
    pytest.param(
        replaced("blocks: 6 ", "profiles: {heavy: {rate: 900000/s}}\nblocks: 6 "),
        r"profiles.heavy: .*19,800,000 requests; a phase has 1 to",
        id="a profile of too much load",
    ),
    pytest.param(
        replaced("server: [uvicorn, hypercorn]", "server: [uvicorn, hypercorn]\n  profile: [a]"),
        r"'profile' cannot be a factor: write profiles",
        id="a factor named profile",
    ),
    pytest.param(lambda _: "", r"empty", id="an empty file"),
]


@pytest.mark.parametrize(("change", "message"), EXPERIMENTS)
def test_a_wrong_experiment_is_refused_where_it_is_wrong(
    change: Callable[[str], str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("slo", "loadtest", "experiments", "service"):
        (tmp_path / folder).mkdir()
    (tmp_path / "service" / "Dockerfile").touch()
    (tmp_path / "service" / "settings.schema.json").write_text(SETTINGS)
    (tmp_path / "slo" / "jobs.yaml").write_text(JOBS)
    (tmp_path / "loadtest" / "locustfile.py").touch()
    path = tmp_path / "experiments" / "wrong.yaml"
    path.write_text(change(QUICK))

    status = main(["run", str(path), "--reports", str(tmp_path / "reports")])

    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith(str(path))
    assert re.search(message, error), error
    assert "Traceback" not in error
    assert "pydantic" not in error
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["plan"], "FILE", id="no experiment"),
        pytest.param(
            ["run", "x.yaml", "--backend", "podman"],
            "'podman' is none of auto, process, docker",
            id="an unknown backend",
        ),
        pytest.param(["run", "x.yaml", "--blocks", "0"], "'0' is not a whole number from 1", id="no block"),
        pytest.param(
            ["run", "x.yaml", "--blocks", "many"], "'many' is not a whole number", id="a word for blocks"
        ),
        pytest.param(["run", "x.yaml", "--seed", "1.5"], "'1.5' is not a whole number", id="half a seed"),
        pytest.param(["run", "x.yaml", "--seed", "-1"], "'-1'", id="a negative seed"),
        pytest.param(["run", "x.yaml", "--fast"], "--fast", id="an unknown option"),
        pytest.param(["jog"], "jog", id="an unknown command"),
        pytest.param([], "COMMAND", id="no command"),
    ],
)
def test_wrong_options_are_refused_by_name(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)

    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["run", "none.yaml"], "none.yaml: ", id="an experiment that does not exist"),
        pytest.param(["plan", "none.yaml"], "none.yaml: ", id="a plan of an experiment that does not exist"),
        pytest.param(
            ["run", str(ROOT / "experiments" / "quick.yaml"), "--max-blocks", "9"],
            "add --until-decided",
            id="a bound of nothing",
        ),
        pytest.param(
            ["run", str(ROOT / "experiments" / "quick.yaml"), "--until-decided", "--max-blocks", "6"],
            "at most 6 blocks leave none to go on with after 6",
            id="no block to go on with",
        ),
        pytest.param(["run"], "name an experiment file, or a run with --resume", id="nothing to run"),
        pytest.param(
            ["run", "x.yaml", "--resume", "y"], "name an experiment file, or", id="two things to run"
        ),
        pytest.param(["run", "--resume", "none"], "is not the folder of a run", id="no run to go on with"),
        pytest.param(
            ["run", "--resume", "none", "--seed", "2"],
            "--seed cannot be changed",
            id="a run with another seed",
        ),
        pytest.param(["validate", "none.yaml"], "none.yaml: ", id="an SLO file that does not exist"),
        pytest.param(["report", "."], "is not the folder of a run", id="a folder that is no run"),
        pytest.param(["report", "none"], "is not the folder of a run", id="a run that does not exist"),
    ],
)
def test_paths_that_lead_nowhere_are_named(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_folder_that_cannot_hold_reports_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "reports"
    taken.write_text("a file where a folder should be")

    assert main(["run", str(ROOT / "experiments" / "quick.yaml"), "--reports", str(taken)]) == 2
    told = capsys.readouterr()
    assert f"cannot make a folder for the run under {taken}" in told.err
    assert "building" not in told.out  # it is found out first


def test_valid_files_are_named_with_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(ROOT / "slo" / "jobs.yaml")]) == 0
    assert "jobs, 4 objectives" in capsys.readouterr().out


def test_every_wrong_file_is_told_about_in_one_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for path in paths:
        path.write_text("service: x\nobjectivs: []\n")

    assert main(["validate", *map(str, paths)]) == 2
    error = capsys.readouterr().err
    assert all(f"{path}:2:1: " in error for path in paths)
