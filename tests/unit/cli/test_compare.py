"""`sloproof compare`: what it says of two runs, with which status, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sloproof.analysis.results import to_json
from sloproof.cli import main
from sloproof.experiment.runfolder import RunFolder
from sloproof.experiment.summary import summarise
from tests.invention import InventedTrial, Invention, facts

if TYPE_CHECKING:
    from collections.abc import Callable

SLOWER = {"uvicorn-4": 1.5}


def invented(root: Path, factors: dict[str, float], *, blocks: int = 6, **trial: Any) -> Path:  # noqa: ANN401
    """Return the folder of a run whose configurations are slower by these factors, each trial by luck too."""
    invention, random = Invention(root), np.random.default_rng(len(root.name))
    for block in range(1, blocks + 1):
        for each in invention.configurations:
            latency_s = 0.02 * factors.get(each.id, 1.0) * float(np.exp(0.01 * random.standard_normal()))
            invention.add(InventedTrial(configuration=each.id, block=block, latency_s=latency_s, **trial))
    return invention.folder.path


def written(folder: Path) -> Path:
    """Write the results of a run beside it, and return the file."""
    path = folder / "results.json"
    path.write_text(to_json(summarise(RunFolder(folder))))
    return path


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(invented(tmp_path_factory.mktemp("baseline"), {}))


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(invented(tmp_path_factory.mktemp("slower"), SLOWER))


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(invented(tmp_path_factory.mktemp("the-same"), {}))


def changed(results: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write results in which something is other than it was."""
    made = json.loads(results.read_text())
    change(made)
    target.write_text(json.dumps(made))
    return target


def test_a_regression_is_named_and_fails_only_where_asked(
    baseline: Path, slower: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(baseline), str(slower)]) == 0
    out = capsys.readouterr().out
    assert "Regression: " in out
    assert "in 6 comparisons (6 slower" in out
    assert re.search(
        r"uvicorn-4 submit p99 is 1\.\d\d× the baseline, 98\.7 % interval 1\.4\d–1\.5\d: slower", out
    )
    assert "what changed in between is in the estimates, and in no interval" in out.replace("\n", " ")

    assert main(["compare", str(baseline), str(slower), "--fail-on-regression"]) == 1


def test_an_improvement_or_the_same_is_no_regression(
    baseline: Path, slower: Path, same: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(slower), str(baseline), "--fail-on-regression"]) == 0
    assert "shows an improvement and no regression" in capsys.readouterr().out
    assert main(["compare", str(baseline), str(same), "--fail-on-regression"]) == 0
    assert "shows neither a regression nor an improvement" in capsys.readouterr().out


def test_two_configurations_of_one_run_are_compared_block_by_block(
    slower: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["compare", str(slower), "--pair", "uvicorn-1", "uvicorn-4"]

    assert main([*given, "--fail-on-regression"]) == 1
    out = capsys.readouterr().out
    assert "Regression: uvicorn-4 is slower or worse than uvicorn-1 in 6 comparisons" in out
    assert re.search(r"uvicorn-4 submit p99 is 1\.\d\d× uvicorn-1, 95 % interval", out)
    assert "its own time on the machine" not in out
    assert main([*given, "--json"]) == 0
    assert {each["design"] for each in json.loads(capsys.readouterr().out)["comparisons"]} == {"blocks"}


def test_configurations_under_different_traffic_are_compared_by_force_only(
    slower: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def profiles(results: dict[str, Any]) -> None:
        for each, profile in zip(results["configurations"], ("calm", "peak") * 2, strict=True):
            each["factors"]["profile"] = profile

    run = changed(slower, tmp_path / "r.json", profiles)

    assert main(["compare", str(run), "--pair", "uvicorn-1", "uvicorn-4"]) == 2
    assert "profile: 'calm' and 'peak'" in capsys.readouterr().err
    assert main(["compare", str(run), "--pair", "uvicorn-1", "uvicorn-4", "--force"]) == 0
    assert "not the same in both: profile." in capsys.readouterr().out
    assert main(["compare", str(run), "--pair", "uvicorn-1", "hypercorn-1"]) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param([], "name two runs, or one with --pair FIRST SECOND", id="one run"),
        pytest.param(["--pair", "uvicorn-1", "uvicron-4"], "no configuration 'uvicron-4'", id="misspelt"),
        pytest.param(
            ["x", "--pair", "a", "b"], "name two runs, or one with --pair", id="two runs and a pair"
        ),
    ],
)
def test_what_to_compare_is_said_in_one_way(
    slower: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(slower), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_wider_margin_forgives(baseline: Path, slower: Path) -> None:
    assert main(["compare", str(baseline), str(slower), "--fail-on-regression", "--margin", "80%"]) == 0


def test_a_results_file_is_as_good_as_its_folder(
    baseline: Path, slower: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(baseline), str(slower), "--json"]) == 0
    by_file = capsys.readouterr().out
    assert main(["compare", str(baseline.parent), str(slower), "--json"]) == 0

    assert capsys.readouterr().out == by_file
    made = json.loads(by_file)
    assert made["schema"] == "sloproof.comparison/1"
    assert made["differences"] == []
    assert made["margin"] == {"latency_ratio": 0.05, "budget_ratio": 0.25}
    assert {each["relation"] for each in made["comparisons"] if each["current"] == "uvicorn-4"} >= {"slower"}
    assert {each["design"] for each in made["comparisons"]} == {"runs"}


def test_markdown_puts_the_answer_first_and_escapes_names(
    baseline: Path, slower: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(baseline), str(slower), "--markdown", "--fail-on-regression"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("### ✗ Regression: ")
    assert lines[2].startswith("- uvicorn-4 read p99 is 1.")
    assert any(line.startswith("| uvicorn-4 | submit p99 | 1.") for line in lines)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((lambda r: r["environment"].update(cpus=8), "cpus: 2 and 8"), id="more processors"),
        pytest.param(
            (lambda r: r["environment"].update(kernel="Linux 7"), "kernel: 'Linux 6' and 'Linux 7'"),
            id="kernel",
        ),
        pytest.param((lambda r: r["environment"].update(python="3.14.1"), "python: "), id="Python"),
        pytest.param(
            (
                lambda r: r["environment"]["packages"].update(locust="3.0"),
                "package locust: '2.47.0' and '3.0'",
            ),
            id="a package",
        ),
        pytest.param(
            (lambda r: r["environment"].update(limits={"cpus": 1}), "limits.cpus: None and 1"), id="a limit"
        ),
        pytest.param((lambda r: r["plan"].update(backend="docker"), "backend: "), id="backend"),
        pytest.param(
            (
                lambda r: r["plan"]["env"].update(SERVICE_LOOP="asyncio"),
                "subject.env.SERVICE_LOOP: None and 'asyncio'",
            ),
            id="a setting of the subject",
        ),
        pytest.param(
            (lambda r: r["plan"]["traffic"].update(rate_per_s=151.0), "traffic.rate_per_s: 150.0 and 151.0"),
            id="rate",
        ),
        pytest.param(
            (lambda r: r["plan"].update(inputs={"locustfile": "feed"}), "locustfile: '10c' and 'feed'"),
            id="Locust file",
        ),
        pytest.param(
            (lambda r: r["plan"].update(load_workers=2), "load workers: 1 and 2"),
            id="load workers",
        ),
        pytest.param(
            (
                lambda r: r["objectives"][0].update(target="0.999"),
                "objective.submit-latency.target: '0.99' and '0.999'",
            ),
            id="a target",
        ),
        pytest.param(
            (
                lambda r: r["configurations"][0]["factors"].update(server="granian"),
                "configuration.uvicorn-1.server: 'uvicorn' and 'granian'",
            ),
            id="what a configuration is made of",
        ),
    ],
)
def test_what_is_not_comparable_is_refused_with_the_field_that_differs_and_compared_by_force(
    baseline: Path,
    same: Path,
    tmp_path: Path,
    row: tuple[Callable[[dict[str, Any]], object], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    change, said = row
    other = changed(same, tmp_path / "other.json", change)

    assert main(["compare", str(baseline), str(other)]) == 2
    error = capsys.readouterr().err
    assert "cannot be compared: not the same in both:" in error
    assert said in error
    assert len([line for line in error.splitlines() if line.startswith("  ")]) == 1

    assert main(["compare", str(baseline), str(other), "--force"]) == 0
    assert f"Compared by force, though not the same in both: {said.partition(':')[0]}." in (
        capsys.readouterr().out
    )


def test_an_objective_that_asks_for_something_else_is_not_compared_by_force_either(
    baseline: Path, same: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(same, tmp_path / "r.json", lambda results: results["objectives"][0].update(target="0.9"))

    assert main(["compare", str(baseline), str(other), "--force", "--json"]) == 0

    metrics = {each["metric"]["name"] for each in json.loads(capsys.readouterr().out)["comparisons"]}
    assert "read-latency bad events" in metrics
    assert "submit-latency bad events" not in metrics
    assert "POST /jobs p99" in metrics  # its latency is what it was


def test_what_is_compared_and_how_well_it_was_measured_may_differ(baseline: Path, tmp_path: Path) -> None:
    def change(results: dict[str, Any]) -> None:
        results["environment"].update(commit="c0ffee", changed=True, load_average=[9, 9, 9])
        results["plan"].update(blocks=10, seed=9, backend_reason="because")
        results["objectives"][0].update(description="In other words.")

    assert main(["compare", str(baseline), str(changed(baseline, tmp_path / "r.json", change))]) == 0


def test_where_nothing_could_be_decided_a_gate_says_so(baseline: Path, tmp_path: Path) -> None:
    def few(results: dict[str, Any]) -> None:
        results["trials"] = [each for each in results["trials"] if each["block"] < 6]

    one, other = (changed(baseline, tmp_path / f"{name}.json", few) for name in "ab")

    assert main(["compare", str(one), str(other), "--fail-on-regression"]) == 3
    assert main(["compare", str(one), str(other)]) == 0


def test_a_run_without_a_valid_trial_is_no_measurement(baseline: Path, tmp_path: Path) -> None:
    late = invented(tmp_path / "late", {}, blocks=1, generator=facts(dispatch_lag_p99_s=0.4))

    assert main(["compare", str(baseline), str(late)]) == 4


def test_runs_without_a_configuration_in_common_are_refused(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rename(results: dict[str, Any]) -> None:
        for each in results["configurations"]:
            each["id"] += "-new"

    other = changed(baseline, tmp_path / "r.json", rename)

    assert main(["compare", str(baseline), str(other), "--force"]) == 2
    assert "have no configuration in common" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(Path.is_dir, "is neither the folder of a run nor its results.json", id="nothing"),
        pytest.param(lambda path: path.mkdir(), "run.json is missing or broken", id="another folder"),
        pytest.param(lambda path: path.write_text("{}"), "not the results of a run: run: ", id="other JSON"),
        pytest.param(lambda path: path.write_text("no"), "not the results of a run", id="no JSON"),
    ],
)
def test_what_is_no_run_is_refused(
    baseline: Path,
    tmp_path: Path,
    write: Callable[[Path], object],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(path := tmp_path / "there")

    assert main(["compare", str(baseline), str(path)]) == 2
    assert said in capsys.readouterr().err


def test_results_of_an_older_sloproof_are_told_how_to_be_made_again(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = changed(baseline, tmp_path / "old.json", lambda results: results["plan"].pop("inputs"))

    assert main(["compare", str(old), str(baseline)]) == 2
    error = capsys.readouterr().err
    assert f"{old}: plan.inputs does not say which files defined the run" in error
    assert "made again by sloproof report" in error


@pytest.mark.parametrize("margin", ["5", "0%", "100%", "much"])
def test_a_margin_is_a_percentage(margin: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", "a", "b", "--margin", margin])

    assert ended.value.code == 2
    assert "5%" in capsys.readouterr().err


def test_what_was_never_answered_survives_the_way_through_json(baseline: Path, tmp_path: Path) -> None:
    def dead(results: dict[str, Any]) -> None:
        for trial in results["trials"]:
            for each in trial["percentiles"]:
                each["value_s"] = None

    other = changed(baseline, tmp_path / "dead.json", dead)

    assert main(["compare", str(baseline), str(other), "--fail-on-regression", "--json"]) in {1, 3}


def test_a_run_that_was_not_finished_is_compared_as_far_as_it_goes(
    invention: Invention, baseline: Path
) -> None:
    for block in range(1, 7):
        invention.add(InventedTrial(configuration="uvicorn-1", block=block))

    assert main(["compare", str(baseline), str(invention.folder.path)]) == 0
