"""What shows the series of a run fits the stack that it is laid over."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
STACK = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SERVICES = yaml.safe_load((ROOT / "deploy/run.compose.yaml").read_text())["services"]
SOURCES = yaml.safe_load((ROOT / "deploy/grafana/run/datasources.yaml").read_text())["datasources"]
OF_STACK = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/datasources.yaml").read_text())


def test_grafana_asks_the_prometheus_of_the_run_first_and_still_has_every_source_of_the_stack() -> None:
    (default,) = (each for each in SOURCES if each.get("isDefault"))

    assert default["url"] == "http://run:9090"
    assert SERVICES["run"]["ports"] == ["127.0.0.1:${RUN_PROMETHEUS_PORT:-9091}:9090"]
    kept = {each["uid"]: each["url"] for each in SOURCES if each is not default}
    assert kept == {each["uid"]: each["url"] for each in OF_STACK["datasources"]}


def test_its_sources_take_the_place_of_the_stack_s() -> None:
    (mounted,) = SERVICES["grafana"]["volumes"]
    (provisioning,) = (
        each
        for each in STACK["grafana"]["volumes"]
        if not isinstance(each, str) and each["target"] == "/etc/grafana/provisioning"
    )

    assert mounted["target"] == f"{provisioning['target']}/datasources"
    assert (ROOT / provisioning["source"] / "datasources").is_dir()
    assert [each.name for each in (ROOT / mounted["source"]).iterdir()] == ["datasources.yaml"]


def test_the_prometheus_of_a_run_is_that_of_the_stack_and_keeps_what_is_old() -> None:
    run, stack = SERVICES["run"], STACK["prometheus"]

    assert run["image"] == stack["image"]
    assert "--storage.tsdb.retention.time=100y" in run["command"]
    for name in ("read_only", "cap_drop", "security_opt", "healthcheck", "restart", "logging"):
        assert run[name] == stack[name]


def test_promtool_accepts_its_configuration_which_scrapes_nothing() -> None:
    path = ROOT / "deploy/run/prometheus.yml"

    assert "scrape_configs" not in yaml.safe_load(path.read_text())
    if shutil.which("promtool") is None:
        pytest.skip("there is no promtool on this machine")
    done = subprocess.run(
        ["promtool", "check", "config", path],  # noqa: S607 - as a person would start it
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
