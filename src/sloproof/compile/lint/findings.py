"""What a lint tells of an SLO file, and where in the file it stands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sloproof.slo.definition import Definition, Objective
    from sloproof.slo.tiers import Tier
    from sloproof.slo.yamlfile import Document
    from sloproof.slo.yamltree import Location, Plain

HUNDREDTH = Decimal("0.01")


class Level(StrEnum):
    """How sure it is that something will not do what the file says: an error surely, a warning perhaps."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a valid file gets wrong; ``str()`` gives ``path:line: level: what, because …: cure``."""

    path: Path
    line: int
    column: int | None = None
    level: Level
    what: str
    because: str
    cure: str

    @property
    def is_error(self) -> bool:
        """Whether it makes the file as good as invalid."""
        return self.level is Level.ERROR

    def __str__(self) -> str:
        place = f"{self.line}" if self.column is None else f"{self.line}:{self.column}"
        return f"{self.path}:{place}: {self.level}: {self.what}, because {self.because}: {self.cure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An SLO file as it was read: its text, its data with the place of each, and what they define."""

    text: str
    document: Document
    definition: Definition

    @property
    def path(self) -> Path:
        """The file."""
        return self.document.path

    def has(self, *location: str | int) -> bool:
        """Tell whether the file itself gives a value."""
        return location in self.document.tree.values

    def line(self, *location: str | int) -> int:
        """Return the line of a value's key, or of its item in a list, or of the nearest thing around it."""
        tree = self.document.tree
        while location:
            if place := tree.keys.get(location) or tree.values.get(location):
                return place.line
            location = location[:-1]
        return 1

    def at(self, location: Location) -> Plain:
        """Return the text, mapping or list at a location, or ``None`` where there is none."""
        data = self.document.tree.data
        for step in location:
            match data, step:
                case dict(), str():
                    data = data.get(step)
                case list(), int() if step < len(data):
                    data = data[step]
                case _:
                    return None
        return data

    def objectives(self) -> Iterable[tuple[int, Objective]]:
        """Return each objective with its index in the file."""
        return enumerate(self.definition.objectives)

    def tier_line(self, index: int, tier: Tier) -> int:
        """Return the line of a tier of an objective, or of the objective where the tier is a default."""
        for place in (("objectives", index, "alerting", "tiers"), ("alerting", "tiers")):
            location: Location = place
            if isinstance(given := self.at(location), list):
                for number, each in enumerate(given):
                    if isinstance(each, dict) and each.get("name") == tier.name:
                        return self.line(*location, number)
        return self.definition.objectives[index].line

    def finding(self, line: int, level: Level, *, what: str, because: str, cure: str) -> Finding:
        """Return a finding in this file."""
        return Finding(path=self.path, line=line, level=level, what=what, because=because, cure=cure)


def percent(ratio: Decimal) -> str:
    """Return an exact ratio as a percentage.

    >>> percent(Decimal("0.999"))
    '99.9 %'
    """
    return f"{(ratio * 100).normalize():f} %"


def about(number: float | Decimal) -> str:
    """Return a computed number to three digits, without an exponent.

    >>> about(0.0166667), about(1234.5), about(Decimal("5.00"))
    ('0.0167', '1,230', '5')
    """
    return f"{Decimal(f'{number:.3g}').normalize():,f}"


def about_percent(ratio: float | Decimal) -> str:
    """Return a computed ratio as a percentage.

    >>> about_percent(1 / 60)
    '1.67 %'
    """
    return f"{about(float(ratio) * 100)} %"


def span(seconds: float | Decimal) -> str:
    """Return a computed duration in whole seconds, rounded up.

    >>> span(51.84), span(3600)
    ('52s', '1h')
    """
    return in_units(int(Decimal(seconds).to_integral_value(ROUND_CEILING)))


def rate(per_second: Decimal) -> str:
    """Return a rate per the unit of time in which it is from one to a hundred.

    >>> rate(Decimal(5) / 60), rate(Decimal(300)), rate(Decimal(1) / 3600)
    ('5/m', '300/s', '1/h')
    """
    for unit, seconds in (("m", 60), ("h", 3_600), ("d", 86_400)):
        if 1 <= (count := per_second * seconds) < 100:  # noqa: PLR2004 - reads well
            return f"{about(count)}/{unit}"
    return f"{about(per_second)}/s" if per_second >= 1 else f"{about(per_second * 86_400)}/d"


def listed(items: Iterable[str], *, most: int = 5, word: str = "and") -> str:
    """Return one item or more as an enumeration; a long one is cut.

    >>> listed(["a", "b", "c"]), listed("abc", most=2)
    ('a, b and c', 'a, b, …')
    """
    *others, last = [each for _, each in zip(range(most + 1), items, strict=False)]
    if len(others) == most:
        return f"{', '.join(others)}, …"
    return f"{', '.join(others)} {word} {last}" if others else last
