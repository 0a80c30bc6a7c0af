"""promtool on files in a folder, and the files that a definition compiles to; judges nothing."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sloproof.compile.outputs import group_data
from sloproof.compile.proofs import prove
from sloproof.compile.rules import compile_rules
from sloproof.compile.yamltext import emit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sloproof.slo.definition import Definition

WITHIN_S = 600
# It makes much garbage and needs little memory; collecting less often takes a third off its time.
LAZY = {"GOGC": "400"}

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether promtool was content, and what it said."""

    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Promtool:
    """promtool by its path."""

    path: str

    def check_rules(self, file: Path) -> Outcome:
        return self._run(file, "check", "rules")

    def test_rules(self, file: Path) -> Outcome:
        return self._run(file, "test", "rules")

    def _run(self, file: Path, *command: str) -> Outcome:
        done = subprocess.run(
            [self.path, *command, file.name],
            cwd=file.parent,
            env={**os.environ, **LAZY},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        return Outcome(done.returncode == 0, done.stdout + done.stderr)


def groups(definition: Definition) -> list[Data]:
    """Return the groups of rules of a definition as plain data."""
    return [group_data(group) for group in compile_rules(definition)]


def proofs(definition: Definition, *titles: str) -> dict[str, Data]:
    """Return the generated tests by file, those whose names begin with a title, or all."""
    files: dict[str, Data] = {}
    every: dict[str, Data] = prove(definition)
    for name, data in every.items():
        chosen = [test for test in data["tests"] if not titles or test["name"].startswith(titles)]
        if chosen:
            files[name] = {**data, "tests": chosen}
    return files


def write(file: Path, data: Mapping[str, Any]) -> Path:
    """Write data as the YAML that is generated, and return where."""
    file.write_text(emit(data), encoding="utf-8")
    return file


def write_rules(folder: Path, service: str, data: Iterable[Data]) -> Path:
    """Write groups of rules to where the tests of a service look for them, and return where."""
    return write(folder / f"{service}.rules.yaml", {"groups": list(data)})
