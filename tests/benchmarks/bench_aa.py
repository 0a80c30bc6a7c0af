"""How often a comparison of a configuration with itself claims a difference: `make bench-aa`.

Runs experiments/aa.yaml over and over, with real servers and real load, and prints each ratio with its
interval. A run claims a difference where any of its p-values, adjusted by Holm for all of its metrics, is at
most 5 %: so of 20 runs at most 3 may claim one (more happens by chance in 1.6 % of cases). It ends with 1
where more do. Beside that stands how many intervals of each metric, by itself, left out 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import TYPE_CHECKING, Any

import yaml

from sloproof.analysis.comparison.holm import holm

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXPERIMENT = ROOT / "experiments" / "aa.yaml"
ALPHA = 0.05
MOST_CLAIMS_OF_20 = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The comparison of one metric in one run, with its interval, which leaves out `same` if they differ."""

    metric: str
    same: float
    estimate: float
    low: float
    high: float
    p_value: float
    verdict: str

    @property
    def differs(self) -> bool:
        """Whether its interval alone says that there is a difference."""
        return not self.low <= self.same <= self.high


def main() -> int:
    """Repeat the experiment, print what each run says, and judge them together."""
    options = _options()
    claims, missed, runs = 0, Counter[str](), 0
    for number in range(1, options.runs + 1):
        found = list(_compared(options, seed=options.seed + number))
        if not found:
            say(f"run {number}: too few valid blocks, nothing to compare")
            continue
        steps = holm([each.p_value for each in found], alpha=ALPHA)
        claimed = any(step.p_adjusted <= ALPHA for step in steps)
        runs, claims = runs + 1, claims + claimed
        missed.update(each.metric for each in found if each.differs)
        say(f"run {number}: {'a DIFFERENCE' if claimed else 'no difference'}")
        for each in found:
            mark = " *" if each.differs else ""
            interval = f"{each.low:8.4f} {each.high:8.4f}"
            say(f"  {each.metric:<26} {each.estimate:8.4f}  {interval}  {each.verdict}{mark}")
    say(f"{claims} of {runs} runs claim a difference; at most {MOST_CLAIMS_OF_20} of 20 may")
    say(f"intervals that by themselves left out 1 (or 0), of {runs} a metric: {dict(missed) or 'none'}")
    return int(claims > MOST_CLAIMS_OF_20 or not runs)


def say(line: str) -> None:
    """Print a line at once: a run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first run takes the next one")
    parser.add_argument("--rate", metavar="RATE", help="instead of the file's, such as 300/s")
    parser.add_argument("--duration", metavar="TIME", help="instead of the file's, such as 3s")
    parser.add_argument("--blocks", type=int, metavar="N", help="instead of the file's")
    return parser.parse_args()


def _compared(options: argparse.Namespace, *, seed: int) -> Iterator[Found]:
    """Run the experiment once and yield how the two compare in each metric."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = folder / "aa.yaml"
        experiment.write_text(yaml.safe_dump(_changed(options)))
        command = [sys.executable, "-m", "sloproof", "run", experiment, "--backend", "process"]
        ended = run(
            [*map(str, command), "--reports", folder / "reports", "--seed", str(seed)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        if ended.returncode not in (0, 1, 3, 4):
            raise SystemExit(f"the run failed with {ended.returncode}:\n{ended.stderr}")
        (results,) = folder.glob("reports/*/results.json")
        for each in json.loads(results.read_text())["comparisons"]:
            if (effect := each["effect"]) is not None:
                yield Found(
                    metric=each["metric"]["name"],
                    same=1.0 if each["metric"]["kind"] == "latency" else 0.0,
                    estimate=effect["estimate"],
                    low=effect["low"],
                    high=effect["high"],
                    p_value=each["p_value"],
                    verdict=each["relation"],
                )


def _changed(options: argparse.Namespace) -> dict[str, Any]:
    """Return the experiment with absolute paths, changed as the options say."""
    experiment: dict[str, Any] = yaml.safe_load(EXPERIMENT.read_text())
    folder = EXPERIMENT.parent
    experiment["slo"] = str(folder / experiment["slo"])
    subject, load = experiment["subject"], experiment["load"]
    subject["directory"] = str(folder / subject["directory"])
    subject["settings"] = str(folder / subject["settings"])
    load["locustfile"] = str(folder / load["locustfile"])
    load.update({key: value for key in ("rate", "duration") if (value := getattr(options, key))})
    experiment["blocks"] = options.blocks or experiment["blocks"]
    return experiment


if __name__ == "__main__":
    sys.exit(main())
