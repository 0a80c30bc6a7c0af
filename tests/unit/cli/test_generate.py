"""What `sloproof generate` writes, checks, refuses and clears away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from sloproof.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SLO = """
service: {service}
window: 30d
objectives:
  - name: availability
    target: {target}
    indicator: {{availability: {{}}}}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "slo").mkdir()
    describe(tmp_path, "jobs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def describe(house: Path, service: str, *, name: str | None = None, target: str = "99.9%") -> None:
    (house / "slo" / f"{name or service}.yaml").write_text(SLO.format(service=service, target=target))


def made(house: Path) -> set[str]:
    return {str(path.relative_to(house)) for path in house.glob("*/generated/*")}


def test_everything_is_made_from_every_file_in_slo(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe(house, "mail")

    assert main(["generate"]) == 0

    assert made(house) == {
        "alerts/generated/alertmanager.yaml",
        *(f"alerts/generated/{service}.rules.yaml" for service in ("jobs", "mail")),
        *(
            f"alerts/generated/{service}{pace}.test.yaml"
            for service in ("jobs", "mail")
            for pace in ("", ".6m", ".24m", ".1h12m", ".12h")
        ),
        *(
            f"dashboards/generated/{name}.json"
            for name in ("experiments", "service", "slo-detail", "slo-overview")
        ),
    }
    assert set(capsys.readouterr().out.split()) == made(house)
    assert main(["generate", "--check"]) == 0


def test_only_what_is_asked_for_is_made(house: Path) -> None:
    assert main(["generate", "--only", "rules"]) == 0

    assert made(house) == {"alerts/generated/alertmanager.yaml", "alerts/generated/jobs.rules.yaml"}


def test_the_same_definitions_make_the_same_files_and_leave_no_other_behind(house: Path) -> None:
    main(["generate"])
    before = {path: (house / path).read_bytes() for path in made(house)}

    main(["generate"])

    assert {path: (house / path).read_bytes() for path in made(house)} == before


def test_a_file_that_is_edited_missing_or_left_over_fails_the_check_and_is_mended(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(house, "mail")
    main(["generate"])
    rules = house / "alerts" / "generated" / "jobs.rules.yaml"
    rules.write_text(rules.read_text().replace("14.4", "20"))
    (house / "alerts" / "generated" / "jobs.test.yaml").unlink()
    for path in (house / "alerts" / "generated").glob("mail.[0-9]*.test.yaml"):
        path.unlink()
    (house / "slo" / "mail.yaml").unlink()
    (house / "alerts" / "generated" / "own.yaml").write_text("groups: []\n")
    capsys.readouterr()

    assert main(["generate", "--check"]) == 1

    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("alerts/")]
    assert told == [
        (
            "alerts/generated/jobs.rules.yaml: is not what the SLO files compile to: run sloproof generate, "
            "and do not edit it"
        ),
        "alerts/generated/jobs.test.yaml: is missing: run sloproof generate",
        "alerts/generated/mail.rules.yaml: nothing compiles to it any more: run sloproof generate",
        "alerts/generated/mail.test.yaml: nothing compiles to it any more: run sloproof generate",
    ]
    assert main(["generate"]) == 0
    assert main(["generate", "--check"]) == 0
    assert "alerts/generated/own.yaml" in made(house)
    assert "alerts/generated/mail.rules.yaml" not in made(house)


def test_the_operator_gets_an_object_with_the_same_groups(house: Path) -> None:
    main(["generate", "--only", "rules"])
    plain = yaml.safe_load((house / "alerts/generated/jobs.rules.yaml").read_text())

    assert main(["generate", "--only", "rules", "--format", "prometheus-operator"]) == 0

    found = yaml.safe_load((house / "alerts/generated/jobs.rules.yaml").read_text())
    assert (found["apiVersion"], found["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert found["metadata"]["name"] == "sloproof-jobs"
    assert found["spec"] == plain


def test_two_files_of_one_service_are_refused_and_nothing_is_written(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(house, "jobs", name="more")

    assert main(["generate"]) == 2

    assert capsys.readouterr().err == (
        "slo/more.yaml:1:1: "
        "the service 'jobs' is described by slo/jobs.yaml already: keep one file a service\n"
    )
    assert made(house) == set()


def test_objectives_that_would_make_the_same_series_are_refused(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(house, "jobs-a")
    path = house / "slo" / "jobs.yaml"
    path.write_text(path.read_text().replace("name: availability", "name: a-availability"))

    assert main(["generate"]) == 2

    assert capsys.readouterr().err == (
        "slo/jobs.yaml:5:1: 'jobs-a-availability' is what an objective of slo/jobs-a.yaml is called too: "
        "rename one of them\n"
    )


def test_a_query_that_prometheus_would_refuse_is_not_compiled(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = house / "slo" / "jobs.yaml"
    query = "ratio: {good: 'sum(rate(x[{{window}}])', total: 'sum(rate(y[{{window}}]))'}"
    path.write_text(path.read_text().replace("availability: {}", query))

    assert main(["generate"]) == 2

    assert capsys.readouterr().err.startswith(
        "slo/jobs.yaml:7:35: error: good of 'availability' is no PromQL"
    )
    assert made(house) == set()


@pytest.mark.parametrize("option", ["--format", "--only"])
def test_a_word_that_an_option_does_not_know_is_refused_with_those_it_knows(
    house: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["generate", option, "json"])

    assert "invalid choice: 'json' (choose from" in capsys.readouterr().err
    assert made(house) == set()


def test_every_wrong_file_is_told_about_and_nothing_is_written(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(house, "mail", target="100%")
    describe(house, "post", target="oops")

    assert main(["generate"]) == 2

    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "slo/mail.yaml:6:13",
        "slo/post.yaml:6:13",
    ]
    assert made(house) == set()


def test_a_folder_without_definitions_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["generate"]) == 2

    assert "there is no slo/*.yaml here" in capsys.readouterr().err
