"""The command: bring the stack up from what is on the machine, prove it, take it down, say so."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from deploy.stack_check import declared, images, proofs, traffic
from deploy.stack_check.composition import (
    TAIL,
    Composition,
    CompositionError,
    containers,
    remove,
    sweep_networks,
    version,
)
from deploy.stack_check.prometheus import Prometheus, QueryError
from deploy.stack_check.proof import Proof
from sloproof.slo.definition import load
from sloproof.slo.problems import InvalidFile
from sloproof.subject.docker import Engine, EngineError
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence
    from types import FrameType

ROOT = Path(__file__).parents[2]
HELD, NOT_HELD, NO_ENVIRONMENT, INTERRUPTED = 0, 1, 5, 130
PORTS = ("JOBS", "PROMETHEUS", "ALERTMANAGER", "GRAFANA", "JAEGER", "JAEGER_OTLP")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check and return its exit status: 0 all proven, 1 not, 5 no engine, compose or image for it."""
    options = _options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _check(options)
    except (EngineError, _UnsuitableError) as error:
        say(f"✗ {error}")
        return NO_ENVIRONMENT
    except (SubjectError, CompositionError) as error:
        say(f"✗ {error}")
        return NOT_HELD
    except InvalidFile as invalid:
        say("\n".join(f"✗ {each}" for each in invalid.problems))
        return NOT_HELD
    except KeyboardInterrupt:
        say("✗ interrupted before all was proven")
        return INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What was generated, and has to work: rules by group, dashboards and what of them may have no data."""

    groups: Mapping[str, Sequence[images.Json]]
    dashboards: Path
    may_be_empty: Mapping[str, Collection[str]]

    @classmethod
    def of(cls, options: argparse.Namespace) -> Self:
        return cls(
            groups=proofs.expected_groups(options.alerts),
            dashboards=options.dashboards,
            may_be_empty=declared.may_be_empty(
                [load(each) for each in sorted((ROOT / "slo").glob("*.yaml"))]
            ),
        )


class _UnsuitableError(Exception):
    """The machine lacks something; the message says what and what would help."""


def say(line: str) -> None:
    """Write a line for people, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.stack_check", description=__doc__)
    parser.add_argument(
        "--alerts",
        type=Path,
        default=ROOT / "alerts/generated",
        metavar="FOLDER",
        help="rules and Alertmanager's configuration",
    )
    parser.add_argument(
        "--dashboards", type=Path, default=ROOT / "dashboards/generated", metavar="FOLDER", help="dashboards"
    )
    return parser.parse_args(arguments)


def _check(options: argparse.Namespace) -> int:
    began = time.monotonic()
    engine = Engine.connect()
    try:
        if (compose := version()) is None:
            raise _UnsuitableError("docker has no compose plugin: install docker-compose-plugin")
        say(f"✓ {engine.description}, compose {compose}")
        for removed in (*engine.sweep(), *sweep_networks(engine.client)):
            say(f"- removed what a killed run had left: {removed}")
        with tempfile.TemporaryDirectory(prefix="stack-check-") as temporary:
            held = _prove(engine, options, Path(temporary))
    finally:
        engine.close()
    say(f"{'✓ all of it holds' if held else '✗ not all of it holds'}, after {time.monotonic() - began:.0f} s")
    return HELD if held else NOT_HELD


def _prove(engine: Engine, options: argparse.Namespace, temporary: Path) -> bool:
    expected = _Expected.of(options)
    if not expected.groups:
        say(f"✗ {options.alerts} has no *.rules.yaml; `sloproof generate` writes them")
        return False
    composition, parts = _composed(engine, options, temporary)
    held = True
    try:
        with closing(_proofs(engine, composition, parts, expected)) as every:
            for proof in every:
                say(str(proof))
                held &= proof.held
    except QueryError as error:
        say(f"✗ Prometheus does not answer: {error}")
        held = False
    finally:
        with deferred():
            gone = _taken_down(engine, composition)
            say(str(gone))
    return held and gone.held


def _taken_down(engine: Engine, composition: Composition) -> Proof:
    say("- taking it down")
    left = remove(composition, engine.client)
    return Proof(not left, f"taken down: {', '.join(left) or 'no container, volume or network'} is left")


def _composed(
    engine: Engine, options: argparse.Namespace, temporary: Path
) -> tuple[Composition, tuple[str, ...]]:
    """Return the composition under a name of its own, and the parts of it that have an image here.

    Every port is any that is free. What is built keeps its name from check to check, so that none leaves a
    nameless image behind.

    Raises:
        _UnsuitableError: an image that the proofs need is not on the machine.
        SubjectError: the service's image cannot be built.

    """
    first = Composition(
        folder=ROOT,
        project=f"sloproof-check-{os.getpid()}",
        variables={
            "ALERTS_FOLDER": str(options.alerts.absolute()),
            "DASHBOARDS_FOLDER": str(options.dashboards.absolute()),
            **{f"{each}_PORT": "0" for each in PORTS},
        },
        override=temporary / "override.json",
    )
    configuration = first.configuration()
    selection = _selected(engine, configuration)
    context = Path(configuration["services"][images.SUBJECT]["build"]["context"])
    base = {images.PYTHON: selection.variables[images.PYTHON]}
    built = engine.client.images.get(engine.build(context, dockerfile=None, args=base))
    variables = {**first.variables, **selection.variables, "JOBS_IMAGE": built.tags[0]}
    composition = replace(first, variables=variables)
    composition.mark(configuration)
    return composition, selection.parts


def _selected(engine: Engine, configuration: images.Json) -> images.Selection:
    present = {tag for image in engine.client.images.list() for tag in image.tags}
    selection = images.select(configuration, present)
    if missing := selection.missing:
        say(f"- left out: {', '.join(missing)}; not on this machine: {', '.join(missing.values())}")
    for image, wanted in selection.instead.items():
        say(f"- {image} takes the place of {wanted}, which is not on this machine")
    if not selection.sufficient:
        raise _UnsuitableError(
            f"the check needs an image for each of {', '.join(images.NEEDED)}, and pulls none; "
            "docs/stack.md says which, and how to use others"
        )
    return selection


def _proofs(
    engine: Engine,
    composition: Composition,
    parts: Sequence[str],
    expected: _Expected,
) -> Generator[Proof, None, None]:
    """Yield one proof after the other, from bringing the stack up to its last trace."""
    say(f"- starting {', '.join(parts)}: one to two minutes in all, and Ctrl-C takes everything down")
    composition.up(parts)
    for part, container in sorted(containers(engine.client, composition.project).items()):
        yield (proof := proofs.healthy(part, container))
        if not proof.held:
            for line in deque(composition.log(part), maxlen=TAIL):
                say(f"  {line}")
    service = composition.address(images.SUBJECT, 8000)
    with (
        traffic.driven(service) as tally,
        Prometheus.at(composition.address("prometheus", 9090)) as prometheus,
    ):
        yield proofs.target_up(prometheus)
        if "alertmanager" in parts:
            yield proofs.alerts_go_somewhere(prometheus)
        say("- waiting for the first evaluation of each rule, once in 30 s")
        yield proofs.rules_loaded(prometheus, expected.groups)
        yield from proofs.recording(prometheus, expected.groups)
        yield from proofs.every_dashboard(prometheus, expected.dashboards, expected.may_be_empty)
        yield _traced(composition, tally)
    yield Proof(
        held=bool(tally.jobs) and not tally.failed,
        what=f"traffic at {service}: {tally.requests} requests, {tally.failed} failed, "
        f"{len(tally.jobs)} jobs",
    )


def _traced(composition: Composition, tally: traffic.Tally) -> Proof:
    if not tally.jobs:
        return Proof(held=False, what=f"{images.SUBJECT} accepted no job, so there is none to trace")
    try:
        jaeger = composition.address("jaeger", 16686)
    except CompositionError as error:
        return Proof(held=False, what=f"no trace can be looked for: {error}")
    return proofs.trace_found(jaeger, tally.jobs[-1], lambda: composition.log(images.SUBJECT))


if __name__ == "__main__":
    sys.exit(main())
