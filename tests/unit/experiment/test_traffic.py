"""What an experiment file says of its traffic, and what that comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.cli import main
from sloproof.experiment import spec
from sloproof.load.arrivals import Arrival
from sloproof.slo.problems import InvalidFile
from sloproof.slo.yamlfile import read

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.experiment.spec import Experiment

EXPERIMENT = """kind: matrix
name: shapes
slo: slo.yaml
subject: {{command: [serve, "{{server}}"]}}
factors: {{server: [uvicorn]}}
blocks: 1
load:
  locustfile: locustfile.py
  rate: 50/s
  warmup: 2s
  {load}
{more}
"""
SLO = "service: x\nwindow: 30d\nobjectives: [{name: a, target: 99%, indicator: {availability: {}}}]\n"
RECORDED = "".join(f"{n / 4}\n" for n in range(40))  # 4/s for 10 s


def written(folder: Path, load: str, more: str = "") -> Path:
    (folder / "slo.yaml").write_text(SLO)
    (folder / "locustfile.py").touch()
    (folder / "arrivals.txt").write_text(RECORDED)
    path = folder / "shapes.yaml"
    path.write_text(EXPERIMENT.format(load=load, more=more))
    return path


def load(folder: Path, text: str, more: str = "") -> Experiment:
    return spec.load(written(folder, text, more))


@pytest.mark.parametrize(
    ("shape", "words", "requests", "load_s"),
    [
        pytest.param("{constant: {}}", "constant", 500, 10, id="constant"),
        pytest.param("{ramp: {to: 200/s}}", "ramp from 50/s to 200/s over 10 s", 1250, 10, id="ramp"),
        pytest.param(
            "{ramp: {to: 100/s, over: 4s}}",
            "ramp from 50/s to 100/s over 4 s, then 100/s",
            900,
            10,
            id="ramp that ends early",
        ),
        pytest.param(
            "{steps: [{at: 4s, to: 100/s}, {at: 8s, to: 10/s}]}",
            "steps of 50/s, 100/s from 4 s, 10/s from 8 s",
            620,
            10,
            id="steps",
        ),
        pytest.param(
            "{spike: {to: 600/s, at: 5s, for: 500ms}}",
            "50/s with a spike to 600/s at 5 s for 0.5 s",
            775,
            10,
            id="spike",
        ),
        pytest.param(
            "{diurnal: {to: 150/s, period: 5s}}",
            "diurnal from 50/s to 150/s and back every 5 s",
            1000,
            10,
            id="diurnal",
        ),
        pytest.param("{replay: {file: arrivals.txt}}", "replay of arrivals.txt", 40, 10, id="replay"),
        pytest.param(
            "{replay: {file: arrivals.txt, speed: 2}}",
            "replay of arrivals.txt at 2 × its speed",
            40,
            5,
            id="fast replay",
        ),
        pytest.param(
            "{replay: {file: arrivals.txt, speed: 0.5}}",
            "replay of arrivals.txt at 0.5 × its speed",
            20,
            10,
            id="slow replay, cut by the duration",
        ),
    ],
)
def test_a_shape_comes_to_a_number_of_requests_in_a_time(
    tmp_path: Path, shape: str, words: str, requests: int, load_s: float
) -> None:
    traffic = load(tmp_path, f"duration: 10s\n  shape: {shape}").load
    assert traffic.in_words() == words
    assert traffic.load_requests == requests
    assert traffic.requests == requests + 100
    assert traffic.load_s == pytest.approx(load_s)
    assert traffic.seconds == pytest.approx(load_s + 2)


@pytest.mark.parametrize(
    ("shape", "busiest_per_s"),
    [
        pytest.param("{constant: {}}", 50, id="constant"),
        pytest.param("{ramp: {to: 200/s}}", 192.5, id="the last second of a ramp"),
        pytest.param("{spike: {to: 600/s, at: 8s, for: 2s}}", 600, id="spike"),
        pytest.param("{steps: [{at: 5s, to: 10/s}]}", 50, id="a step down"),
        pytest.param("{replay: {file: arrivals.txt, speed: 20}}", 80, id="a replay busier than its warm-up"),
    ],
)
def test_the_busiest_second_says_what_a_generator_must_keep(
    tmp_path: Path, shape: str, busiest_per_s: float
) -> None:
    traffic = load(tmp_path, f"duration: 10s\n  shape: {shape}").load

    assert traffic.busiest_per_s == pytest.approx(busiest_per_s)


def test_a_replay_without_a_duration_takes_as_long_as_its_recording(tmp_path: Path) -> None:
    traffic = load(tmp_path, "shape: {replay: {file: arrivals.txt, speed: 4}}").load
    assert (traffic.load_s, traffic.load_requests) == (2.5, 40)
    assert (traffic.law, traffic.arrivals) == (Arrival.CONSTANT, "recorded")


def test_a_profile_has_a_shape_of_its_own_and_everything_else_from_the_load(tmp_path: Path) -> None:
    profiles = """
profiles:
  steady: {shape: {constant: {}}}
  as-is: {}
  spike: {rate: 10/s, shape: {spike: {to: 100/s, at: 1s, for: 1s}}}
  replay: {shape: {replay: {file: arrivals.txt}}}
"""
    experiment = load(tmp_path, "duration: 4s\n  arrival: constant\n  shape: {ramp: {to: 150/s}}", profiles)
    seen = {
        each.factors["profile"]: (traffic.load_requests, traffic.law, traffic.arrivals)
        for each in experiment.configurations()
        for traffic in [experiment.traffic(each)]
    }
    assert seen == {
        "steady": (200, Arrival.CONSTANT, "constant"),
        "as-is": (400, Arrival.CONSTANT, "constant"),
        "spike": (130, Arrival.CONSTANT, "constant"),
        "replay": (16, Arrival.CONSTANT, "recorded"),
    }


def test_a_plan_says_the_shape_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profiles = """
profiles:
  ramp: {shape: {ramp: {to: 200/s}}}
  again: {shape: {replay: {file: arrivals.txt}}}
"""
    path = written(tmp_path, "duration: 18s", profiles)
    assert main(["plan", str(path), "--backend", "process"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "ramp from 50/s to 200/s over 18 s, poisson: 2,250 requests" in out
    assert "for 18 s after 2 s at 50/s" in out
    assert "replay of arrivals.txt, recorded: 40 requests for 10 s after 2 s at 50/s" in out


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        pytest.param(
            "duration: 9s\n  shape: {rmap: {to: 9/s}}",
            "",
            "12:11: unknown key 'rmap', did you mean 'ramp'? "
            "(one of: constant, ramp, steps, spike, diurnal, replay)",
            id="a misspelt shape",
        ),
        pytest.param(
            "duration: 9s\n  shape: {ramp: {to: 9/s}, spike: {to: 9/s, at: 1s, for: 1s}}",
            "",
            "12:10: shape: takes exactly one of constant, ramp, steps, spike, diurnal, replay, not 2, "
            "e.g. {ramp: {to: 200/s}}",
            id="two shapes",
        ),
        pytest.param(
            "duration: 9s\n  shape: ramp",
            "",
            "12:10: shape: takes a mapping ('key: value'), not 'ramp'",
            id="a shape that says nothing",
        ),
        pytest.param(
            "duration: 9s\n  shape: {ramp: {to: 200}}",
            "",
            "12:22: to: '200' has no unit of time: write 200/s or 200/m",
            id="a bare rate",
        ),
        pytest.param(
            "duration: 9s\n  shape: {ramp: {to: 0/s}}",
            "",
            "12:22: to: '0/s' never happens: write a rate above 0, e.g. 300/s or 10/m",
            id="a ramp to nothing",
        ),
        pytest.param(
            "duration: 9s\n  shape: {spike: {to: 9/s, at: 1s}}",
            "",
            "12:18: missing key 'for', e.g. for: 2s",
            id="a spike without an end",
        ),
        pytest.param(
            "duration: 9s\n  shape: {spike: {to: 9/s, at: 8s, for: 2s}}",
            "",
            "8:3: load: shape: the spike ends at 10s, and the load at 9s: shorten it, or lengthen duration",
            id="a spike behind the end",
        ),
        pytest.param(
            "duration: 9s\n  shape: {ramp: {to: 9/s, over: 10s}}",
            "",
            "8:3: load: shape: the ramp ends at 10s, and the load at 9s: shorten it, or lengthen duration",
            id="a ramp longer than the load",
        ),
        pytest.param(
            "duration: 9s\n  shape: {steps: [{at: 9s, to: 9/s}]}",
            "",
            "8:3: load: shape: the last step comes at 9s, and the load at 9s: "
            "shorten it, or lengthen duration",
            id="a step at the end",
        ),
        pytest.param(
            "duration: 9s\n  shape: {steps: [{at: 4s, to: 9/s}, {at: 4s, to: 5/s}]}",
            "",
            "12:10: shape: the step at 4s comes after that at 4s: "
            "write steps in the order of time, each later than the last",
            id="two steps at once",
        ),
        pytest.param(
            "duration: 9s\n  shape: {steps: []}",
            "",
            "12:18: steps: takes 1 or more items, not 0",
            id="no steps",
        ),
        pytest.param(
            "duration: 9s\n  shape: {diurnal: {to: 90/s, period: 0s}}",
            "",
            "12:39: period: 0s is no time at all: write a duration longer than 0, e.g. 10s",
            id="a wave of no length",
        ),
        pytest.param(
            "duration: 9s\n  shape: {ramp: {to: 900000/s}}",
            "",
            "8:3: load: duration: 50/s as a ramp from 50/s to 900000/s over 9 s for 9s are "
            "4,050,225 requests; a phase has 1 to 2,000,000",
            id="too many requests",
        ),
        pytest.param(
            "shape: {ramp: {to: 9/s}}",
            "",
            "8:3: load: missing key 'duration', e.g. duration: 18s",
            id="no duration",
        ),
        pytest.param(
            "shape: {replay: {file: arrivals.txt, speed: 0}}",
            "",
            "11:47: speed: 0 is not between 0.001 and 1,000: write e.g. 2",
            id="a replay that stands still",
        ),
        pytest.param(
            "shape: {replay: {file: arrivals.txt, recording: x}}",
            "",
            "11:40: unknown key 'recording' (one of: file, speed)",
            id="a recording in the file itself",
        ),
        pytest.param(
            "arrival: poisson\n  shape: {replay: {file: arrivals.txt}}",
            "",
            "8:3: load: arrival: recorded arrivals come when they came: leave it out beside a replay",
            id="a law for what was recorded",
        ),
        pytest.param(
            "shape: {replay: {file: arrivals.txt}}",
            "profiles: {regular: {arrival: constant}}",
            "1:1: profiles.regular: arrival: recorded arrivals come when they came: "
            "leave it out beside a replay",
            id="a law for what was recorded, in a profile",
        ),
        pytest.param(
            "duration: 9s",
            "profiles: {late: {shape: {spike: {to: 9/s, at: 9s, for: 1s}}}}",
            "1:1: profiles.late: shape: the spike ends at 10s, and the load at 9s: "
            "shorten it, or lengthen duration",
            id="a spike behind the end, in a profile",
        ),
    ],
)
def test_a_wrong_shape_is_refused_where_it_is_wrong(
    tmp_path: Path, text: str, more: str, message: str
) -> None:
    path = written(tmp_path, text, more)
    with pytest.raises(InvalidFile) as error:
        spec.load(path)
    assert str(error.value) == f"{path}:{message}"


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "shape: {replay: {file: none.txt}}")
    with pytest.raises(InvalidFile) as error:
        spec.load(path)
    assert str(error.value) == f"{path}: the replay of none.txt: there is no file {tmp_path / 'none.txt'}"


def test_a_recording_that_is_wrong_is_told_by_its_own_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "shape: {replay: {file: arrivals.txt}}")
    (tmp_path / "arrivals.txt").write_text("1\n2\nthree\n")
    with pytest.raises(InvalidFile, match=r"arrivals\.txt:3:1: 'three' is no time"):
        spec.load(path)


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "arrivals.txt").write_text(RECORDED)
    path = written(
        tmp_path,
        "shape: {replay: {file: arrivals.txt}}",
        "profiles: {a: {}, b: {shape: {replay: {file: other/arrivals.txt}}}}",
    )
    with pytest.raises(InvalidFile) as error:
        spec.load(path)
    assert str(error.value) == (
        f"{path}: two recordings are called 'arrivals.txt': rename one, a run keeps both"
    )


def test_what_a_replay_comes_to_is_not_known_before_its_file_was_read(tmp_path: Path) -> None:
    experiment = read(written(tmp_path, "shape: {replay: {file: arrivals.txt}}"), spec.Experiment)
    with pytest.raises(TypeError, match=r"arrivals\.txt has not been read"):
        _ = experiment.load.load_requests
