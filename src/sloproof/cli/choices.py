"""Options that several commands on experiments take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sloproof.experiment import spec
from sloproof.experiment.record import BackendName
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    from sloproof.experiment.spec import Experiment

MOST_BLOCKS = 1_000
MOST_SEED = 2**63 - 1


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen instead of what an experiment says."""
    parser.add_argument(
        "--backend",
        type=_backend,
        metavar="auto|process|docker",
        help="where the subject runs; auto, the default, takes docker where an engine answers",
    )
    parser.add_argument("--blocks", type=_count, metavar="N", help="instead of the file's number of blocks")
    parser.add_argument("--seed", type=_seed, metavar="N", help="instead of the file's seed")


def experiment_of(options: argparse.Namespace) -> Experiment:
    """Read the experiment, changed as the options say; raises WrongInput."""
    experiment = spec.load(options.experiment)
    if experiment.search is not None and options.blocks is not None:
        raise WrongInput("--blocks: a search decides how many trials it needs: leave it out")
    changes = {"blocks": options.blocks, "seed": options.seed}
    return experiment.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _backend(text: str) -> BackendName | None:
    try:
        return None if text == "auto" else BackendName(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is none of auto, process, docker") from None


def _count(text: str) -> int:
    return _whole_number(text, least=1, most=MOST_BLOCKS)


def _seed(text: str) -> int:
    return _whole_number(text, least=0, most=MOST_SEED)


def _whole_number(text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most:,}")
    return int(text)
