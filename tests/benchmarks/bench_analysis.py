"""How long the reports of a run with ten million requests take, and how much memory: `make bench-analysis`.

Runs are invented, by the writers that real trials use; the figures are those of `sloproof report` as a whole
process, start-up included, with the processes that it starts. Half of the requests submit a job.
Arguments: `TRIALSxREQUESTS …`, and `--keep DIR` to leave the runs there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # for a script, pytest's `pythonpath` does not count

from sloproof.analysis.samples import Outcome, Phase, Samples
from sloproof.load.files import JOBS, write_jobs, write_samples
from sloproof.load.ledger import Accepted, Reading
from tests.invention import ENDPOINTS, InventedTrial, Invention

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ("100x100000", "5x2000000")
RATE_PER_S = 1_000
WARMUP, DRAIN = 200, 20
EPOCH_S = 1.7e9
MIB = 2**20


def samples(requests: int, *, seed: int) -> Samples:
    """Return the requests of a trial: every latency its own, one of 5,000 without an answer."""
    random = np.random.default_rng(seed)
    n = WARMUP + requests + DRAIN
    intended_s = np.cumsum(random.exponential(1 / RATE_PER_S, n))
    latency_s = random.lognormal(-4, 0.7, n)
    answered = random.random(n) >= 1 / 5_000
    answered[-DRAIN:] = True
    return Samples(
        phase=np.repeat([Phase.WARMUP, Phase.LOAD, Phase.DRAIN], [WARMUP, requests, DRAIN]),
        endpoint=np.array(ENDPOINTS)[np.arange(n) % 2],
        intended_s=intended_s,
        dispatched_s=intended_s + 1e-4,
        start_s=intended_s + 2e-4,
        end_s=np.where(answered, intended_s + latency_s, np.nan),
        status=np.where(answered, np.where(np.arange(n) % 2, 200, 202), 0).astype(np.int16),
        outcome=np.where(answered, Outcome.ANSWERED, Outcome.TIMEOUT),
    )


def make(root: Path, trials: int, requests: int) -> Path:
    """Invent a run in which configurations take turns, of trials with so many scored requests each."""
    run = Invention(root)
    jobs = root / JOBS
    accepted = [
        Accepted(location=f"/jobs/{n:032x}", phase=Phase.LOAD, intended_at_s=EPOCH_S + 2 * n / RATE_PER_S)
        for n in range(requests // 2)
    ]
    readings = [
        Reading(
            found=True, state="succeeded", attempt=1, completions=1, finished_at_s=job.intended_at_s + 0.1
        )
        for job in accepted
    ]
    write_jobs(root, accepted, readings)
    for number in range(trials):
        block, turn = divmod(number, len(run.configurations))
        trial = InventedTrial(configuration=run.configurations[turn].id, block=block + 1)
        record = trial.write(run.folder)
        folder = run.folder.trial(record.folder).path
        write_samples(folder, samples(requests, seed=number), epoch_unix_s=EPOCH_S)
        shutil.copyfile(jobs, folder / JOBS)
        run.folder.trial(record.folder).metrics_after.write_text(trial._metrics(requests // 2, 0.02))
        run.folder.append(record)
    jobs.unlink()
    return run.folder.path


def measured(command: list[str], *, modules: Path) -> tuple[float, float, float]:
    """Return the wall and processor time in seconds, and the largest memory in MiB, of a command."""
    # Python's modules are compiled once, as with every installed program, whatever this shell is set to.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(modules)
    began = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / MIB


def _in_a_child(function: Callable[..., Path], *arguments: object) -> Path:
    with ProcessPoolExecutor(max_workers=1) as pool:
        return pool.submit(function, *arguments).result()


def main() -> None:
    """Make each run, report on it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, metavar="TRIALSxREQUESTS")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave the runs there, and take those that are"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measured([sys.executable, "-m", "sloproof", "report", "--help"], modules=Path(scratch))
        for size in options.sizes:
            trials, requests = map(int, size.split("x"))
            root = (options.keep or Path(scratch)) / size
            found = next((each.parent for each in root.glob("*/run.json")), None)
            # In a process of its own: a child begins with the largest memory that its parent ever had.
            run = found or _in_a_child(make, root, trials, requests)
            command = [sys.executable, "-m", "sloproof", "report", str(run)]
            wall_s, processor_s, memory_mib = measured(command, modules=Path(scratch))
            took = f"{wall_s:.1f} s ({processor_s:.1f} s of processor), {memory_mib:.0f} MiB"
            print(f"{trials} trials × {requests:,} requests: {took}")  # noqa: T201
            if options.keep is None:
                shutil.rmtree(root)


if __name__ == "__main__":
    main()
