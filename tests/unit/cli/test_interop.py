"""`sloproof import` and `sloproof export`: where the text goes, what is told, and what is refused."""
# ruff: noqa: E501 - what is told reads best on one line

from __future__ import annotations

from pathlib import Path

import pytest

from sloproof.cli import main
from sloproof.slo import definition

SLOTH = """version: prometheus/v1
service: {service}
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(x_total{{code="500"}}[{{{{.window}}}}]))
        total_query: sum(rate(x_total[{{{{.window}}}}]))
"""
PYRRA = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: errors}
spec:
  target: "99"
  window: 2w
  indicator: {ratio: {errors: {metric: 'x_total{code="500"}'}, total: {metric: x_total}}}
"""
LOST = [
    "own.yaml:4: minimum_failures 5 of 'availability' is not carried over: in Sloth's rules one failed request can alert",
    "own.yaml:4: the alert on absent metrics of 'availability' is not carried over: Sloth has none",
]
"""What Sloth has no word for in the file of ours below."""
OWN = """service: shop
window: 30d
objectives:
  - name: availability
    target: 99.9%
    indicator: {up: {}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sloth.yaml").write_text(SLOTH.format(service="shop"))
    (tmp_path / "many.yaml").write_text(f"{SLOTH.format(service='shop')}---\n{SLOTH.format(service='mail')}")
    (tmp_path / "noted.yaml").write_text(f"{SLOTH.format(service='shop')}colour: red\n")
    (tmp_path / "pyrra.yaml").write_text(PYRRA)
    (tmp_path / "own.yaml").write_text(OWN)
    return tmp_path


def test_an_import_goes_to_standard_output_and_loads(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "sloth", "sloth.yaml"]) == 0

    told = capsys.readouterr()
    (folder / "slo.yaml").write_text(told.out)
    assert definition.load(Path("slo.yaml")).service == "shop"
    assert told.err == ""


def test_what_is_not_carried_over_goes_to_standard_error_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (folder / "noted.yaml").read_text().splitlines()[9] == "colour: red"
    assert main(["import", "sloth", "noted.yaml"]) == 0

    told = capsys.readouterr()
    assert told.out.startswith("service: shop\n")
    assert told.err == "noted.yaml:10: 'colour' is not carried over: sloproof has nothing like it\n"


@pytest.mark.parametrize(
    ("arguments", "notes"),
    [
        pytest.param(
            ["import", "sloth", "noted.yaml"],
            ["noted.yaml:10: 'colour' is not carried over: sloproof has nothing like it"],
            id="import",
        ),
        pytest.param(["export", "sloth", "own.yaml"], LOST, id="export"),
    ],
)
@pytest.mark.parametrize("out", [[], ["--out", "new.yaml"]], ids=["to standard output", "to a file"])
def test_strict_makes_a_note_a_failure_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], notes: list[str], out: list[str]
) -> None:
    assert main([*arguments, "--strict", *out]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        *notes,
        "sloproof: nothing is written, for --strict allows none of the above",
    ]
    assert not (folder / "new.yaml").exists()


def test_strict_lets_through_what_has_no_notes(folder: Path) -> None:
    assert main(["import", "sloth", "sloth.yaml", "--strict", "--out", "new.yaml"]) == 0

    assert definition.load(folder / "new.yaml").service == "shop"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["import", "sloth", "sloth.yaml"], id="import"),
        pytest.param(["export", "openslo", "own.yaml"], id="export"),
    ],
)
def test_a_file_that_is_there_is_replaced_only_by_force(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    there = folder / "there.yaml"
    there.write_text("mine\n")

    assert main([*arguments, "--out", "there.yaml"]) == 2
    refused = capsys.readouterr().err.splitlines()[-1]
    assert refused == "sloproof: there.yaml: is there already: give --force, or another --out"
    assert there.read_text() == "mine\n"

    assert main([*arguments, "--out", "there.yaml", "--force"]) == 0
    assert "shop" in there.read_text()


def test_several_services_need_a_folder_and_are_written_all_or_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "sloth", "many.yaml"]) == 2
    needed = (
        "sloproof: many.yaml describes 2 services (shop, mail), and an SLO file one: give --out a folder\n"
    )
    assert capsys.readouterr() == ("", needed)
    assert main(["import", "sloth", "many.yaml", "--out", "own.yaml", "--force"]) == 2
    assert capsys.readouterr().err == needed
    assert (folder / "own.yaml").read_text() == OWN

    (folder / "slo").mkdir()
    (folder / "slo" / "mail.yaml").write_text("mine")
    assert main(["import", "sloth", "many.yaml", "--out", "slo"]) == 2
    assert (
        capsys.readouterr().err
        == "sloproof: slo/mail.yaml: is there already: give --force, or another --out\n"
    )
    assert [path.name for path in (folder / "slo").iterdir()] == ["mail.yaml"]
    assert (folder / "slo" / "mail.yaml").read_text() == "mine"

    assert main(["import", "sloth", "many.yaml", "--out", "new/slo"]) == 0
    assert {definition.load(path).service for path in (folder / "new" / "slo").iterdir()} == {"shop", "mail"}


def test_one_service_goes_into_a_folder_that_is_there_by_its_name(folder: Path) -> None:
    (folder / "slo").mkdir()

    assert main(["import", "sloth", "sloth.yaml", "--out", "slo"]) == 0

    assert definition.load(folder / "slo" / "shop.yaml").service == "shop"


def test_the_window_of_sloth_and_the_service_of_pyrra_are_given(folder: Path) -> None:
    main(["import", "sloth", "sloth.yaml", "--window", "4w", "--out", "a.yaml"])
    main(["import", "pyrra", "pyrra.yaml", "--service", "basket", "--out", "b.yaml"])

    assert definition.load(folder / "a.yaml").window_s == 28 * 86_400
    assert definition.load(folder / "b.yaml").service == "basket"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(
            ["import", "sloth", "sloth.yaml", "--window", "30"],
            "sloproof import: error: argument --window: '30' has no unit: write 30ms or 30s",
            id="a window without a unit",
        ),
        pytest.param(
            ["import", "pyrra", "pyrra.yaml", "--service", "My Shop"],
            "sloproof import: error: argument --service: 'My Shop' is no such name: write lower-case letters "
            "and digits, with single hyphens between",
            id="a service with a space",
        ),
        pytest.param(
            ["import", "sloth"],
            "sloproof import: error: the following arguments are required: FILE",
            id="no file named",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_wrong_options_say_what_would_be_right(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == told


WRONG = {
    "nothing in it": (
        b"",
        "wrong.yaml:1:1: the file is empty: name one that holds SLOs",
    ),
    "comments alone": (
        b"---\n# SLOs\n...\n",
        "wrong.yaml:1:1: the file is empty: name one that holds SLOs",
    ),
    "a list": (
        b"- a\n",
        "wrong.yaml:1:1: takes a mapping ('key: value'), not a list",
    ),
    "no text": (
        b"version: \xff\n",
        "wrong.yaml:1:10: the byte 0xff is not UTF-8: save the file as UTF-8",
    ),
    "no YAML": (
        b"a: [1\nb: 2\n",
        "wrong.yaml:2:2: not valid YAML: expected ',' or ']', but got ':'; close the list with ']', it begins on line 1",
    ),
    "no SLOs": (
        b"version: prometheus/v1\nservice: shop\nslos: []\n",
        "wrong.yaml:1:1: there is no SLO in it: name a file that holds one",
    ),
    "a target per cent": (
        SLOTH.format(service="shop").replace("99.9", "99.9%").encode(),
        "wrong.yaml:5:16: slos[0].objective: takes a number without a sign, not '99.9%': write 99.9",
    ),
    "the second document of many": (
        f"{SLOTH.format(service='shop')}---\nversion: prometheus/v2\n".encode(),
        "wrong.yaml:11:10: version: 'prometheus/v2' is not known: write prometheus/v1",
    ),
    "plugins alone": (
        b"version: prometheus/v1\nservice: shop\nslos:\n  - {name: a, objective: 99, sli: {plugin: {id: sloth-common/http/latency}}}\n",
        "wrong.yaml:4:49: the SLI plugin 'sloth-common/http/latency' cannot be carried over, so this SLO is left out: write the query that it makes as events",
    ),
}


@pytest.mark.parametrize(("content", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_file_of_sloth_that_is_wrong_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes, told: str
) -> None:
    (folder / "wrong.yaml").write_bytes(content)

    assert main(["import", "sloth", "wrong.yaml", "--out", "new.yaml"]) == 2

    assert capsys.readouterr() == ("", f"{told}\n")
    assert not (folder / "new.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(
            "import pyrra sloth.yaml",
            "sloth.yaml:1:1: no file of Pyrra's: sloproof import sloth reads it",
            id="Sloth's for Pyrra",
        ),
        pytest.param(
            "import openslo pyrra.yaml",
            "pyrra.yaml:1:1: no file of OpenSLO's: sloproof import pyrra reads it",
            id="Pyrra's for OpenSLO",
        ),
        pytest.param(
            "import sloth own.yaml",
            "own.yaml:1:1: no file of Sloth's: it is an SLO file of sloproof already",
            id="ours",
        ),
        pytest.param("import sloth none.yaml", "none.yaml: no such file: check the path", id="no file"),
        pytest.param("import openslo .", ".: is a folder: name a file in it", id="a folder"),
        pytest.param(
            "export sloth none.yaml", "none.yaml: no such file: check the path", id="no file of ours"
        ),
        pytest.param(
            "export openslo pyrra.yaml",
            "pyrra.yaml:1:1: missing key 'service', e.g. service: jobs",
            id="Pyrra's to export",
        ),
    ],
)
def test_a_file_that_is_not_the_one_meant_is_told_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, told: str
) -> None:
    assert main([*arguments.split(), "--out", "new.yaml"]) == 2

    assert capsys.readouterr().err.splitlines()[0] == told
    assert not (folder / "new.yaml").exists()


def test_what_cannot_be_exported_at_all_is_told_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = "{ratio: {bad: 'sum(rate(x[{{window}}]))', total: 'sum(increase(x[{{window}}]))'}}"
    (folder / "own.yaml").write_text(OWN.replace("{up: {}}", mixed))

    assert main(["export", "openslo", "own.yaml", "--out", "new.yaml"]) == 2

    assert capsys.readouterr().err == (
        "own.yaml:4: 'availability' is left out: one of its queries gives events per second and the other does not: write increase(…) in both\n"
        "sloproof: no objective of it can be exported, so nothing is written\n"
    )
    assert not (folder / "new.yaml").exists()


@pytest.mark.usefixtures("folder")
def test_an_export_goes_to_standard_output_and_what_it_loses_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert OWN.splitlines()[3].strip() == "- name: availability"
    assert main(["export", "sloth", "own.yaml"]) == 0

    told = capsys.readouterr()
    assert told.out.startswith("version: prometheus/v1\nservice: shop\n")
    assert told.err.splitlines() == LOST


@pytest.mark.parametrize("form", ["openslo", "sloth"])
def test_an_export_is_imported_again(folder: Path, form: str) -> None:
    assert main(["export", form, "own.yaml", "--out", "foreign.yaml"]) == 0
    assert main(["import", form, "foreign.yaml", "--out", "again.yaml"]) == 0

    before, after = definition.load(folder / "own.yaml"), definition.load(folder / "again.yaml")
    assert [(each.name, each.target, each.alerting) for each in after.objectives] == [
        (each.name, each.target, each.alerting) for each in before.objectives
    ]
