from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.experiment import spec
from sloproof.experiment.filling import fill
from sloproof.experiment.settings import SettingsFileError, known_settings

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.experiment.spec import Experiment

EXPERIMENT = """
kind: matrix
name: axes
slo: slo.yaml
subject:
  command: [serve, --server, "{{server}}"]
  env: {{STORE: "{{folder}}/store", PORT: "{{port}}", FIXED: "1"}}
  container:
    build: service
    args: {{PYTHON_IMAGE: "python:{{python_version}}-slim"}}
    command: [--server, "{{server}}"]
    cpus: "{{cpus}}"
    memory: 256m
    port: 9000
    folder: /store
factors:
  server: [uvicorn, hypercorn]
  SYNCHRONOUS: [full, normal]
  cpus: [0.5, 2]
  python_version: ["3.13"]
{more}
blocks: 1
load: {{locustfile: locustfile.py, rate: 10/s, warmup: 1s, duration: 2s}}
"""


def load(folder: Path, more: str = "") -> Experiment:
    (folder / "service").mkdir()
    for name in ("slo.yaml", "locustfile.py", "service/Dockerfile"):
        (folder / name).touch()
    path = folder / "axes.yaml"
    path.write_text(EXPERIMENT.format(more=more))
    return spec.load(path)


def test_every_axis_has_a_place_in_a_stable_readable_name(tmp_path: Path) -> None:
    ids = [each.id for each in load(tmp_path).configurations()]

    assert ids[:3] == ["uvicorn-full-0.5-3.13", "uvicorn-full-2-3.13", "uvicorn-normal-0.5-3.13"]
    assert len(ids) == len(set(ids)) == 8


def test_exclusions_and_inclusions_change_the_matrix(tmp_path: Path) -> None:
    more = """
exclude: [{server: hypercorn, SYNCHRONOUS: normal}, {cpus: 0.5}]
include: [{server: uvicorn, SYNCHRONOUS: full, cpus: 1.5, python_version: "3.14"}]
"""
    assert [each.id for each in load(tmp_path, more).configurations()] == [
        "uvicorn-full-2-3.13",
        "uvicorn-normal-2-3.13",
        "hypercorn-full-2-3.13",
        "uvicorn-full-1.5-3.14",
    ]


def test_profiles_are_an_axis_that_changes_the_traffic(tmp_path: Path) -> None:
    more = """
exclude: [{server: hypercorn}, {SYNCHRONOUS: normal}, {cpus: 2}]
profiles: {light: {}, heavy: {rate: 40/s, users: 8}}
"""
    experiment = load(tmp_path, more)

    light, heavy = experiment.configurations()
    assert (light.id, heavy.id) == ("uvicorn-full-0.5-3.13-light", "uvicorn-full-0.5-3.13-heavy")
    assert experiment.traffic(light) == experiment.load
    assert experiment.traffic(heavy) == experiment.load.model_copy(update={"rate": 40.0, "users": 8})


def test_a_name_with_characters_that_files_cannot_have_is_made_fit(tmp_path: Path) -> None:
    more = "include: [{server: 'registry/uvicorn:1', SYNCHRONOUS: full, cpus: 1, python_version: '3.14'}]"

    assert load(tmp_path, more).configurations()[-1].id == "registry-uvicorn-1-full-1-3.14"


def test_a_container_is_filled_with_the_values_of_its_configuration(tmp_path: Path) -> None:
    experiment = load(tmp_path)
    container = experiment.subject.container
    assert container is not None

    filled = fill(experiment.subject, container, experiment.configurations()[0].factors)

    assert filled.command == ("--server", "uvicorn")
    assert filled.env == {"STORE": "/store/store", "PORT": "9000", "FIXED": "1", "SYNCHRONOUS": "full"}
    assert (filled.cpus, filled.cpuset, filled.memory_bytes) == (0.5, None, 256 * 2**20)
    assert filled.source.build == tmp_path / "service"
    assert filled.source.args == (("PYTHON_IMAGE", "python:3.13-slim"),)
    assert str(filled.source) == "service PYTHON_IMAGE=python:3.13-slim"


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        ('{"properties": {"A": {}}, "additionalProperties": false}', "A", "B"),
        ('{"properties": {}, "patternProperties": {"^X_": {}}, "additionalProperties": false}', "X_1", "Y"),
        (
            '{"properties": {}, "patternProperties": {"^(?!S_)": {}}, "additionalProperties": false}',
            "A",
            "S_1",
        ),
    ],
    ids=["properties", "patterns", "all but a prefix"],
)
def test_a_schema_says_which_settings_there_are(
    tmp_path: Path, schema: str, accepted: str, refused: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(schema)

    assert known_settings(path).accepts(accepted)
    assert not known_settings(path).accepts(refused)


def test_an_open_schema_takes_every_name(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"properties": {"A": {}}}')

    assert known_settings(path).accepts("B")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"properties": []}'])
def test_what_is_no_schema_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)

    with pytest.raises(SettingsFileError, match=r"settings\.json is not"):
        known_settings(path)


def test_a_run_is_looked_at_only_where_it_goes_on_until_decided(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()

    assert load(tmp_path).looks() == ()
    assert load(tmp_path / "more", "until_decided: {blocks: 30}").looks() == (7, 13, 19, 24, 30)
