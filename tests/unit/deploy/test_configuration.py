"""The configuration of Prometheus, Alertmanager and Grafana: accepted by their own tools, and of one mind."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.slo.definition import load

ROOT = Path(__file__).parents[3]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PROMETHEUS = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
SOURCES = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/datasources.yaml").read_text())
PROVIDERS = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/dashboards.yaml").read_text())
TARGETS = sorted((ROOT / "deploy/targets").glob("*.yaml"))
# Where each part listens, inside.
PORTS = {name: {port.rpartition(":")[2] for port in each["ports"]} for name, each in SERVICES.items()}


def run(tool: str, *arguments: str) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool} on this machine")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def mounted_at(part: str, target: str) -> str:
    """Return what of this repository a part finds at a path."""
    (source,) = (
        re.sub(r"\$\{\w+:-(.*)\}", r"\1", each["source"])
        for each in SERVICES[part]["volumes"]
        if not isinstance(each, str) and each["target"] == target
    )
    return str(source)


def test_promtool_accepts_what_prometheus_is_given(tmp_path: Path) -> None:
    for target in ("prometheus.yml", "targets", "rules"):
        source = ROOT / mounted_at("prometheus", f"/etc/prometheus/{target}")
        (tmp_path / target).symlink_to(source)

    said = run("promtool", "check", "config", str(tmp_path / "prometheus.yml"))

    assert re.search(r"\d+ rules found", said)


def test_amtool_accepts_what_alertmanager_is_given() -> None:
    inside = "/etc/alertmanager/generated"
    assert f"--config.file={inside}/alertmanager.yaml" in SERVICES["alertmanager"]["command"]

    run("amtool", "check-config", str(ROOT / mounted_at("alertmanager", inside) / "alertmanager.yaml"))


def test_alerts_go_to_the_alertmanager_of_the_stack() -> None:
    (manager,) = PROMETHEUS["alerting"]["alertmanagers"]
    (config,) = manager["static_configs"]

    assert config["targets"] == [f"alertmanager:{port}" for port in PORTS["alertmanager"]]


@pytest.mark.parametrize("file", TARGETS, ids=lambda file: file.stem)
def test_a_file_of_targets_names_their_job(file: Path) -> None:
    groups = yaml.safe_load(file.read_text())

    assert groups
    assert all(group["targets"] and group["labels"]["job"] for group in groups)


def test_the_jobs_service_is_read_where_it_listens_under_the_job_that_its_slo_selects_by() -> None:
    (group,) = yaml.safe_load((ROOT / "deploy/targets/jobs.yaml").read_text())

    assert group["targets"] == [f"service:{port}" for port in PORTS["service"]]
    assert group["labels"].items() >= dict(load(ROOT / "slo/jobs.yaml").metrics.matchers).items()


@pytest.mark.parametrize("file", sorted((ROOT / "slo").glob("*.yaml")), ids=lambda file: file.stem)
def test_prometheus_scrapes_and_evaluates_as_often_as_the_rules_were_made_for(file: Path) -> None:
    made_for = load(file).prometheus

    assert PROMETHEUS["global"]["scrape_interval"] == f"{made_for.scrape_interval_s}s"
    assert PROMETHEUS["global"]["evaluation_interval"] == f"{made_for.evaluation_interval_s}s"


@pytest.mark.parametrize("source", SOURCES["datasources"], ids=lambda source: source["name"])
def test_a_data_source_is_a_part_of_the_stack_and_nobody_edits_it(source: dict[str, Any]) -> None:
    _, part, port = re.fullmatch(r"(http)://(\w+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]

    assert port in PORTS[part]
    assert source["type"] == part
    assert source["editable"] is False


def test_exactly_one_data_source_is_the_default_and_it_knows_the_scrape_interval() -> None:
    (default,) = (each for each in SOURCES["datasources"] if each.get("isDefault"))

    assert default["type"] == "prometheus"
    assert default["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


def test_grafana_shows_the_generated_dashboards_and_does_not_change_them() -> None:
    (provider,) = PROVIDERS["providers"]

    folder = ROOT / mounted_at("grafana", provider["options"]["path"])
    assert list(folder.glob("*.json"))
    assert provider["allowUiUpdates"] is False
