"""The reader serves any pydantic model: unions, dictionaries, numbers, and their mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from sloproof.slo.quantities import DurationSeconds, RatePerSecond
from sloproof.slo.yamlfile import InvalidFile, read

if TYPE_CHECKING:
    from pathlib import Path


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Constant(Section):
    kind: Literal["constant"]
    rate: RatePerSecond


class Ramp(Section):
    kind: Literal["ramp"]
    steps: Annotated[tuple[RatePerSecond, ...], Field(min_length=2)]


class Level(Section):
    limit: int


class Plan(Section):
    traffic: Annotated[Constant | Ramp, Field(discriminator="kind")]
    wait: DurationSeconds = 0.0
    blocks: Annotated[int, Field(ge=1)] = 6
    quiet: bool = False
    order: Literal["random", "fixed"] = "random"
    factors: dict[Annotated[str, Field(pattern="^[a-z]+$")], tuple[str, ...]] = Field(default_factory=dict)
    levels: dict[str, Level] = Field(default_factory=dict)
    either: Constant | Level | None = None


def written(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_texts_become_what_the_model_asks_for(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "traffic: {kind: ramp, steps: [10/s, 90/m]}\nwait: 250ms\nblocks: 3\nquiet: true\n"
        "factors: {workers: [1, 04]}\nlevels: {low: {limit: 5}}\neither: {limit: 7}\n",
    )

    assert read(path, Plan) == Plan.model_construct(
        traffic=Ramp.model_construct(kind="ramp", steps=(10.0, 1.5)),
        wait=0.25,
        blocks=3,
        quiet=True,
        order="random",
        factors={"workers": ("1", "04")},
        levels={"low": Level(limit=5)},
        either=Level(limit=7),
    )


RIGHT = "traffic: {kind: constant, rate: 1/s}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "traffic: {kind: constant, rat: 1/s}\n",
            [
                "1:10: missing key 'rate', e.g. rate: 300/s",
                "1:27: unknown key 'rat', did you mean 'rate'? (one of: kind, rate)",
            ],
            id="a variant by its tag",
        ),
        pytest.param(
            "traffic: {kind: wave}\n",
            ["1:10: traffic: takes a 'kind' of 'constant', 'ramp', not 'wave'"],
            id="no such variant",
        ),
        pytest.param(
            "traffic: {rate: 1/s}\n",
            ["1:10: traffic: takes a mapping with the key 'kind'"],
            id="no tag",
        ),
        pytest.param(
            "traffic: {kind: ramp, steps: [1/s]}\n",
            ["1:30: steps: takes 2 or more items, not 1"],
            id="too few items",
        ),
        pytest.param(
            "traffic: {kind: ramp, steps: [1, 2/s]}\n",
            ["1:31: steps: '1' has no unit of time: write 1/s or 1/m"],
            id="a wrong item, told once",
        ),
        pytest.param(
            f"{RIGHT}blocks: none\n",
            ["2:9: blocks: takes a whole number, not 'none'"],
            id="a word for a number",
        ),
        pytest.param(
            f"{RIGHT}blocks: 0\n",
            ["2:9: blocks: must be greater than or equal to 1, not '0'"],
            id="a number out of bounds",
        ),
        pytest.param(
            f"{RIGHT}quiet: perhaps\n",
            ["2:8: quiet: takes true or false, not 'perhaps'"],
            id="a word for a truth value",
        ),
        pytest.param(
            f"{RIGHT}order: rnadom\n",
            ["2:8: order: takes 'random' or 'fixed', not 'rnadom', did you mean 'random'?"],
            id="a word near a choice",
        ),
        pytest.param(
            f"{RIGHT}factors: {{Workers: [1]}}\n",
            ["2:11: Workers: 'Workers' does not match ^[a-z]+$"],
            id="a wrong name among free names",
        ),
        pytest.param(
            f"{RIGHT}factors: [a]\n",
            ["2:10: factors: takes a mapping ('key: value'), not a list"],
            id="a list for a dictionary",
        ),
        pytest.param(
            f"{RIGHT}levels: {{low: {{limt: 1}}}}\n",
            [
                "2:15: missing key 'limit'",
                "2:16: unknown key 'limt', did you mean 'limit'? (one of: limit)",
            ],
            id="a key under a free name",
        ),
        pytest.param(
            f"{RIGHT}either: {{limit: 1, rate: 1/s}}\n",
            [
                "2:9: missing key 'kind', e.g. kind: constant",
                "2:10: unknown key 'limit' (one of: kind, rate)",
                "2:20: unknown key 'rate' (one of: limit)",
            ],
            id="an untagged union, by its classes",
        ),
    ],
)
def test_mistakes_in_any_model_are_told_with_their_places(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = written(tmp_path, text)

    with pytest.raises(InvalidFile) as caught:
        read(path, Plan)

    assert [str(problem) for problem in caught.value.problems] == [f"{path}:{each}" for each in expected]
