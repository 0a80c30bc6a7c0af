"""promtool and amtool take every generated file, and every generated proof holds."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.compile.outputs import Format, Kind, Source, outputs
from sloproof.compile.proofs import unproved
from sloproof.slo.definition import load
from tests.integration.compile.promtool import groups, proofs, write, write_rules

if TYPE_CHECKING:
    from sloproof.slo.definition import Definition, Objective
    from tests.integration.compile.promtool import Promtool

JOBS = load(Path(__file__).parents[3] / "slo" / "jobs.yaml")
KINDS = load(Path(__file__).with_name("kinds.yaml"))
NATIVE = replace(KINDS, metrics=replace(KINDS.metrics, native=True))


def generated(folder: Path, definition: Definition) -> dict[str, Path]:
    """Write the rules of a definition as `sloproof generate` does, and return the files by name."""
    sources = [Source(name="slo/some.yaml", definition=definition)]
    files = {}
    for output in outputs(sources, form=Format.PROMETHEUS, kinds=[Kind.RULES]):
        file = folder / Path(output.path).name
        file.write_text("".join(output.text), encoding="utf-8")
        files[file.name] = file
    return files


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param(JOBS, id="the jobs service"),
        pytest.param(KINDS, id="every kind"),
        pytest.param(NATIVE, id="native histograms"),
    ],
)
def test_promtool_takes_the_rules(tmp_path: Path, promtool: Promtool, definition: Definition) -> None:
    file = generated(tmp_path, definition)[f"{definition.service}.rules.yaml"]

    outcome = promtool.check_rules(file)

    assert outcome.passed, outcome.said
    assert "duplicate" not in outcome.said
    rules = sum(len(group["rules"]) for group in groups(definition))
    assert f"{rules} rules found" in outcome.said


def test_amtool_takes_the_configuration_of_the_alertmanager(tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        if os.environ.get("REQUIRE_PROMETHEUS") == "1":
            pytest.fail("REQUIRE_PROMETHEUS=1, and no amtool is on the PATH")
        pytest.skip("no amtool is on the PATH")
    file = generated(tmp_path, JOBS)["alertmanager.yaml"]

    done = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 inhibit rules" in done.stdout
    assert "2 receivers" in done.stdout


@pytest.mark.parametrize("name", sorted(proofs(JOBS)))
def test_the_proofs_of_the_jobs_service_hold(tmp_path: Path, promtool: Promtool, name: str) -> None:
    write_rules(tmp_path, JOBS.service, groups(JOBS))

    outcome = promtool.test_rules(write(tmp_path / name, proofs(JOBS)[name]))

    assert outcome.passed, outcome.said


@pytest.mark.parametrize("objective", KINDS.objectives, ids=lambda objective: objective.name)
def test_the_proofs_of_every_kind_of_objective_hold(
    tmp_path: Path, promtool: Promtool, objective: Objective
) -> None:
    alone = replace(KINDS, objectives=(objective,))
    write_rules(tmp_path, alone.service, groups(alone))
    files = [write(tmp_path / name, data) for name, data in proofs(alone).items()]

    outcomes = [promtool.test_rules(file) for file in files]

    assert files
    assert all(outcome.passed for outcome in outcomes), "\n".join(outcome.said for outcome in outcomes)


def test_nothing_of_these_definitions_is_unproved() -> None:
    assert not [*unproved(JOBS), *unproved(KINDS)]


def test_with_native_histograms_what_reads_none_is_proved_still() -> None:
    proved = {each.name for each in NATIVE.objectives} - {each.objective for each in unproved(NATIVE)}

    assert proved == {"bad-ratio", "good-ratio-with-own-tiers", "error-ratio", "average", "targets-up"}
