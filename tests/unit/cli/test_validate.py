"""What `sloproof validate` and `sloproof status` say and exit with, without a Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "service: shop\nwindow: 30d\nobjectives:\n"
RIGHT = f"{HEAD}  - {{name: served, target: 99%, indicator: {{availability: {{}}}}}}\n"
FAST = RIGHT.replace("availability: {}", "latency: {method: GET, route: /, threshold: 300ms}")
UNFIREABLE = RIGHT.replace("99%", "90%")
EXPOSED = """\
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/",le="0.25"} 3
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/",le="0.5"} 3
http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/",le="+Inf"} 3
http_server_request_duration_seconds_count{http_request_method="GET",http_route="/"} 3
http_server_request_duration_seconds_sum{http_request_method="GET",http_route="/"} 0.1
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> str:
        Path(name).write_text(text)
        return name

    return write


FINE = "f.yaml: shop, 1 objectives\n"


@pytest.mark.parametrize(
    ("text", "options", "ends"),
    [
        pytest.param(RIGHT, "", (0, ""), id="right"),
        pytest.param(RIGHT, "--strict", (0, ""), id="right, strictly"),
        pytest.param(UNFIREABLE, "", (2, "f.yaml:4: error: the tier 'page-fast' of "), id="an error"),
        pytest.param(RIGHT, "--traffic 36/h", (0, ""), id="enough traffic"),
        pytest.param(
            RIGHT, "--traffic 20/h", (0, "f.yaml:4: warning: the tier 'page-fast' of "), id="a warning"
        ),
        pytest.param(
            RIGHT,
            "--traffic 20/h --strict",
            (2, "f.yaml:4: warning: the tier 'page-fast' of "),
            id="a warning, strictly",
        ),
        pytest.param(
            FAST,
            "--metrics metrics.txt",
            (2, "f.yaml:4: error: the threshold of 'served', 300ms, is no bound of a bucket, "),
            id="recorded metrics",
        ),
        pytest.param(
            FAST.replace("300ms", "250ms"), "--metrics metrics.txt", (0, ""), id="a bound by recorded metrics"
        ),
        pytest.param(f"{RIGHT}servce: x\n", "", (2, "f.yaml:5:1: unknown key 'servce', did"), id="a mistake"),
    ],
)
def test_errors_fail_and_warnings_only_when_asked_to(
    write: Callable[[str, str], str],
    capsys: pytest.CaptureFixture[str],
    text: str,
    options: str,
    ends: tuple[int, str],
) -> None:
    write("metrics.txt", EXPOSED)
    status, said = ends

    assert main(["validate", write("f.yaml", text), *options.split()]) == status

    out, err = capsys.readouterr()
    assert out == ("" if status else FINE)
    assert err.startswith(said)
    assert bool(err) == bool(said)


def test_every_file_is_looked_at_whatever_is_wrong_with_the_others(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        write("a.yaml", "service: x\n"),
        write("b.yaml", UNFIREABLE),
        write("c.yaml", RIGHT),
        "none.yaml",
    ]

    assert main(["validate", *files]) == 2

    said = capsys.readouterr()
    assert said.out == ""  # c describes the service of b
    for part in (
        "a.yaml:1:1: missing key 'window'",
        "b.yaml:4: error: ",
        "c.yaml:1: error: the service ",
        "none.yaml: no such",
    ):
        assert part in said.err


def test_a_file_named_twice_is_no_duplicate(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", write("a.yaml", RIGHT), "./a.yaml"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("<html>\n", "not in the Prometheus text format: ", id="a page"),
        pytest.param("", "holds no metric: record it by curl, from the service's /metrics", id="nothing"),
        pytest.param(
            None, "cannot be read (No such file or directory): name a file, or write http://…", id="no file"
        ),
    ],
)
def test_metrics_that_are_none_are_wrong_input(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    if text is not None:
        write("metrics.txt", text)

    assert main(["validate", write("f.yaml", RIGHT), "--metrics", "metrics.txt"]) == 2
    assert capsys.readouterr().err.startswith(f"sloproof: metrics.txt: {message}")


@pytest.mark.parametrize("command", ["validate", "status"])
def test_a_prometheus_that_is_not_there_is_a_failure_of_the_environment(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, write("f.yaml", RIGHT), "--prometheus", "http://me:secret@127.0.0.1:1"]) == 5

    told = capsys.readouterr().err
    assert told.startswith("sloproof: http://127.0.0.1:1: no Prometheus answers there: ")
    assert "secret" not in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prometheus", "ftp://me:secret@host"], "--prometheus: 'ftp' cannot be asked"),
        (["--prometheus", "me:secret@host"], "--prometheus: it has no http://"),
        (
            ["--prometheus", "http://host?token=secret"],
            "--prometheus: leave out what is behind the question mark",
        ),
        (["--metrics", "ftp://me:secret@host"], "--metrics: 'ftp' cannot be asked"),
        (["--traffic", "5"], "--traffic: '5' has no unit of time: write 5/s or 5/m"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["validate", write("f.yaml", RIGHT), *options])

    told = capsys.readouterr().err
    assert end.value.code == 2
    assert message in told
    assert "secret" not in told


def test_status_looks_for_files_where_none_is_named(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--prometheus", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.startswith("sloproof: there is no slo/*.yaml here: name SLO files, ")

    Path("slo").mkdir()
    write("slo/wrong.yaml", "service: x\n")
    assert main(["status", "--prometheus", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.startswith("slo/wrong.yaml:1:1: missing key 'window'")


def test_status_asks_nobody_about_what_is_no_promql(
    write: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = RIGHT.replace("availability: {}", "error_ratio: {query: 'rate(x[{{window}}]'}")

    assert main(["status", write("f.yaml", wrong), "--prometheus", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.startswith("f.yaml:4:71: error: query of 'served' is no PromQL, ")
