"""Options that several commands on experiments take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sloproof.experiment import spec
from sloproof.experiment.record import BackendName
from sloproof.experiment.sections import MOST_BLOCKS, UntilDecidedSpec
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    from sloproof.experiment.spec import Experiment

BLOCKS_UNTIL_DECIDED = 30
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
    parser.add_argument(
        "--until-decided",
        action="store_true",
        help="run further blocks while an objective is undecided and they may well decide it",
    )
    parser.add_argument(
        "--max-blocks",
        type=_count,
        metavar="N",
        help=f"at most so many blocks until decided; default: the file's, else {BLOCKS_UNTIL_DECIDED}",
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="instead of the file's seed")


def experiment_of(options: argparse.Namespace) -> Experiment:
    """Read the experiment, changed as the options say; raises InvalidFile, WrongInput."""
    experiment = spec.load(options.experiment)
    if experiment.search is not None and options.blocks is not None:
        raise WrongInput("--blocks: a search decides how many trials it needs: leave it out")
    changes = {"blocks": options.blocks, "seed": options.seed}
    experiment = experiment.model_copy(
        update={name: value for name, value in changes.items() if value is not None}
    )
    return experiment.model_copy(update={"until_decided": _until_decided(options, experiment)})


def _until_decided(options: argparse.Namespace, experiment: Experiment) -> UntilDecidedSpec | None:
    told = experiment.until_decided
    if not options.until_decided and told is None:
        if options.max_blocks is not None:
            raise WrongInput(
                "--max-blocks bounds a run until decided: add --until-decided, or write --blocks"
            )
        return None
    most = options.max_blocks or (told.blocks if told else BLOCKS_UNTIL_DECIDED)
    if most <= experiment.blocks:
        raise WrongInput(
            f"until decided: at most {most} blocks leave none to go on with after {experiment.blocks}: "
            "write a greater --max-blocks, or fewer --blocks"
        )
    return UntilDecidedSpec(blocks=most)


def _backend(text: str) -> BackendName | None:
    try:
        return None if text == "auto" else BackendName(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is none of auto, process, docker") from None


def _count(text: str) -> int:
    return whole_number(text, least=1, most=MOST_BLOCKS)


def _seed(text: str) -> int:
    return whole_number(text, least=0, most=MOST_SEED)


def whole_number(text: str, *, least: int, most: int) -> int:
    """Return a number of an option, for argparse."""
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most:,}")
    return int(text)
