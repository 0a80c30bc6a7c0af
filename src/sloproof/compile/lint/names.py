"""Names that several SLO files use: what one of them records would overwrite what the other does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.conventions import slo_id
from sloproof.compile.lint.findings import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sloproof.compile.lint.findings import Finding, Source


def check(sources: Iterable[Source]) -> Iterator[Finding]:
    """Yield a finding for each service, and each objective's identity, that another file has taken."""
    services: dict[str, Source] = {}
    identities: dict[str, tuple[Source, int]] = {}
    for source in sources:
        service = source.definition.service
        if (other := services.setdefault(service, source)) is not source:
            yield source.finding(
                source.line("service"),
                Level.ERROR,
                what=f"the service '{service}' is described twice",
                because=f"{other.path}:{other.line('service')} describes it, and its rules are one file",
                cure="put the objectives of both files into one, or rename one of the services",
            )
            continue
        for index, objective in source.objectives():
            name = slo_id(service, objective.name)
            taken_by, taken = identities.setdefault(name, (source, index))
            if taken_by is not source:
                place = f"{taken_by.path}:{taken_by.line('objectives', taken, 'name')}"
                yield source.finding(
                    source.line("objectives", index, "name"),
                    Level.ERROR,
                    what=f"the objective '{objective.name}' of '{service}' is there twice",
                    because=f'{place} makes the same series, with the label sloth_id="{name}"',
                    cure="rename one of them, or its service",
                )
