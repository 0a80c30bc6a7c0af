"""A finished search on disk whose trials are invented: the latency of each depends on its rate alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.search import Proposal, step
from sloproof.experiment import spec
from sloproof.experiment.capacity.plan import search_plans
from sloproof.experiment.capacity.trials import observation, scored
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.record import BackendName
from sloproof.slo import definition
from sloproof.slo.yamlfile import read
from tests.invention import ROOT, InventedTrial, Invention, facts

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.experiment.runfolder import RunFolder

LIMIT_PER_S = 700.0
FASTEST_S = 0.03
NOISE = (1.0, 1.1, 0.85, 0.95, 1.15, 0.9, 1.05)


def latency_s(rate_per_s: float) -> float:
    """Return the latency of a queue that reaches the 100 ms of the jobs service's reads at 490/s."""
    return FASTEST_S / max(1 - rate_per_s / LIMIT_PER_S, 0.01)


def search(
    root: Path, *, valid_up_to_per_s: float = 1e9, most_trials: int = 1000, **changes: object
) -> RunFolder:
    """Return the folder of a search for the capacity of uvicorn-1, as far as `most_trials`."""
    invention = Invention(root)
    text = (ROOT / "experiments" / "capacity.yaml").read_text()
    text = text.replace("[uvicorn, hypercorn]", "[uvicorn]").replace("[1, 4]", "[1]")
    for key, value in changes.items():
        text = text.replace("  trials: 3", f"  {key}: {value}\n  trials: 3", 1)
    invention.folder.experiment.write_text(text)
    experiment = read(invention.folder.experiment, spec.Experiment)
    (plan,) = search_plans(experiment, BackendName.PROCESS).values()
    promised = definition.load(invention.folder.definition)
    seen: list = []  # type: ignore[type-arg]
    while isinstance(next_ := step(plan, seen), Proposal) and len(seen) < most_trials:
        late = next_.rate_per_s > valid_up_to_per_s
        trial = InventedTrial(
            configuration="uvicorn-1",
            block=len(seen) + 1,
            latency_s=latency_s(next_.rate_per_s) * NOISE[len(seen) % len(NOISE)],
            generator=facts(wait_ratio=0.5, cpu_ratio=0.5) if late else facts(),
        )
        record = replace(trial.write(invention.folder), rate_per_s=next_.rate_per_s)
        invention.folder.append(record)
        folder = invention.folder.trial(record.folder)
        result = evaluate_trial(folder, record, promised, proxied=False)
        seen.append(observation(scored(folder), result, promised))
    return invention.folder
