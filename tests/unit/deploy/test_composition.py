"""What docker-compose.yml promises: loopback only, pinned, without privileges, without a default password."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from service.settings import Settings
from sloproof.slo.definition import load

ROOT = Path(__file__).parents[3]
COMPOSITION = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS = sorted(COMPOSITION["services"])
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+):-(?P<default>[^}]+)\}")
SECONDS = {"s": 1, "m": 60, "d": 86400}


def seconds(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]]


@pytest.fixture(params=PARTS)
def part(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(COMPOSITION["services"][request.param])


def test_it_has_the_whole_stack() -> None:
    assert PARTS == ["alertmanager", "grafana", "jaeger", "prometheus", "service"]


def test_every_port_is_published_on_loopback_and_can_be_moved(part: dict[str, Any]) -> None:
    assert part["ports"]
    for port in part["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+_PORT:-\d+\}:\d+", port)


def test_no_two_ports_are_the_same_or_share_a_variable() -> None:
    published = [VARIABLE.search(port) for each in PARTS for port in COMPOSITION["services"][each]["ports"]]

    assert len({found["name"] for found in published if found}) == len(published)
    assert len({found["default"] for found in published if found}) == len(published)


def test_every_image_can_be_another_and_is_pinned_to_a_version(part: dict[str, Any]) -> None:
    found = VARIABLE.fullmatch(part["image"])

    assert found
    assert found["name"].endswith("_IMAGE")
    if "build" in part:
        assert part["pull_policy"] == "build"
        assert part["build"]["args"] == {"PYTHON_IMAGE": "${PYTHON_IMAGE:-python:3.13-slim}"}
    else:
        assert re.search(r":v?\d+\.\d+\.\d+$", found["default"])


def test_each_has_no_more_rights_than_it_needs(part: dict[str, Any]) -> None:
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert not part.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices", "user"}


def test_each_restarts_is_asked_about_its_health_and_has_time_to_stop(part: dict[str, Any]) -> None:
    assert part["restart"] == "unless-stopped"
    assert part["healthcheck"]["test"][0] == "CMD"
    assert seconds(part["healthcheck"]["start_period"]) >= 30
    assert seconds(part["stop_grace_period"]) >= 15
    assert part["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_what_is_mounted_from_here_is_here_and_cannot_be_written(part: dict[str, Any]) -> None:
    for mount in part.get("volumes", ()):
        if isinstance(mount, str):
            volume, _, _ = mount.partition(":")
            assert volume in COMPOSITION["volumes"]
            continue
        found = VARIABLE.fullmatch(mount["source"])
        assert (mount["type"], mount["read_only"]) == ("bind", True)
        assert mount["bind"] == {"create_host_path": False}
        assert (ROOT / (found["default"] if found else mount["source"])).exists()


def test_every_volume_is_used() -> None:
    mounts = chain.from_iterable(COMPOSITION["services"][each].get("volumes", ()) for each in PARTS)

    assert {each.partition(":")[0] for each in mounts if isinstance(each, str)} == set(COMPOSITION["volumes"])


def test_no_password_stands_in_it() -> None:
    for each in PARTS:
        for name in COMPOSITION["services"][each].get("environment", {}):
            assert not re.search("PASSWORD|SECRET|TOKEN", name) or name.startswith("GF_SECURITY_DISABLE")


def test_grafana_has_no_account_and_lets_whoever_reaches_it_look_only() -> None:
    environment = COMPOSITION["services"]["grafana"]["environment"]

    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_an_administrator_of_grafana_needs_a_password_of_ones_own() -> None:
    added = yaml.safe_load((ROOT / "deploy/grafana/admin.yaml").read_text())
    environment = added["services"]["grafana"]["environment"]

    assert environment["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_ADMIN_PASSWORD:?")


def test_the_service_accepts_the_settings_it_gets() -> None:
    schema = json.loads((ROOT / "service/settings.schema.json").read_text())

    jsonschema.validate(COMPOSITION["services"]["service"]["environment"], schema)


def test_the_service_runs_four_workers_of_uvicorn() -> None:
    assert COMPOSITION["services"]["service"]["command"] == ["--server", "uvicorn", "--workers", "4"]


def test_the_service_is_not_killed_while_it_stops_in_good_order() -> None:
    settings = Settings.load({"database": "jobs.db"})
    longest_s = settings.pre_stop_delay_s + settings.drain_grace_s + settings.otlp_timeout_s + 1

    assert seconds(COMPOSITION["services"]["service"]["stop_grace_period"]) > longest_s


@pytest.mark.parametrize("file", sorted((ROOT / "slo").glob("*.yaml")), ids=lambda file: file.stem)
def test_prometheus_remembers_longer_than_the_longest_window(file: Path) -> None:
    (retention,) = (
        found["default"]
        for option in COMPOSITION["services"]["prometheus"]["command"]
        if option.startswith("--storage.tsdb.retention.time=") and (found := VARIABLE.search(option))
    )

    assert seconds(retention) >= max(each.window_s for each in load(file).objectives)
