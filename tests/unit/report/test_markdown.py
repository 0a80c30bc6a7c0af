from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.experiment.summary import summarise
from sloproof.report.markdown import markdown, text
from tests.invention import InventedTrial, facts, renamed

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention

SLOW = InventedTrial(configuration="", slow=30)


def test_the_verdict_comes_first_and_every_cell_has_its_figure(results: Results) -> None:
    lines = markdown(results).splitlines()

    assert lines[0] == (
        "### ✗ uvicorn-4, hypercorn-1 and hypercorn-4 meet every objective; uvicorn-1 violates at least one."
    )
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert table[0].startswith("| configuration | submit-latency<br>99 % within 250 ms |")
    assert table[2].startswith("| uvicorn-1 | ✗ VIOLATED<br>97.0 % |")
    assert any(
        line.startswith("- **uvicorn-1, submit-latency**: ") and "blind spot" in line for line in lines
    )
    assert "[The whole report](report.html)" in lines[-1]


def test_a_large_matrix_takes_at_most_sixty_lines_and_says_what_it_leaves_out(results: Results) -> None:
    violated, met, *_ = results.configurations
    many = (*(replace(met, id=f"fine-{n}") for n in range(190)), replace(violated, id="slow"))

    lines = markdown(replace(results, configurations=many)).splitlines()

    assert len(lines) <= 60
    assert "167 configurations are left out of this table, those shown weigh most." in lines
    table = [line for line in lines if line.startswith("|")]
    assert table[2].startswith("| slow |")


def test_everything_wrong_at_once_still_takes_at_most_sixty_lines(results: Results) -> None:
    wrong = replace(
        results.configurations[0],
        objectives=tuple(results.configurations[0].objectives[i % 5] for i in range(40)),
    )
    broken = replace(
        results,
        objectives=tuple(results.objectives[i % 5] for i in range(40)),
        configurations=tuple(replace(wrong, id=f"wrong-{n}") for n in range(200)),
    )

    lines = markdown(broken).splitlines()

    assert len(lines) <= 60
    assert "176 configurations and 28 objectives are left out of this table, those shown weigh most." in lines
    assert any(re.fullmatch(r"- \d+ more in the report", line) for line in lines)


def test_the_largest_difference_between_configurations_takes_two_lines(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", latency_s=0.032))

    lines = markdown(summarise(invention.folder)).splitlines()

    assert (
        "- **compared**: hypercorn-4 read p99 is 1.60× uvicorn-1, 99.16 % interval 1.60–1.60: slower" in lines
    )
    assert "- 17 more differences in the report" in lines


def test_a_run_that_was_not_decided_says_how_many_more_trials_would(invention: Invention) -> None:
    invention.add(InventedTrial(configuration="uvicorn-1"))

    said = markdown(summarise(invention.folder))

    assert said.startswith("### ? uvicorn-1, uvicorn-4, hypercorn-1 and hypercorn-4 are undecided.")
    assert "further trials would probably decide" in said
    assert "1 valid trials of 24 planned, run not finished" in said


def test_invalid_trials_are_told_with_their_reason(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", generator=facts(dispatch_lag_p99_s=0.4)))

    said = markdown(summarise(invention.folder))

    assert (
        "- **6 of 24 trials were invalid and count for integrity alone**: b01-hypercorn-4, for one:" in said
    )


def test_a_run_without_any_trial_still_makes_a_comment(invention: Invention) -> None:
    assert markdown(summarise(invention.folder)).startswith(
        "### ? No valid measurement: nothing can be said."
    )


def test_hostile_names_make_no_markup_no_mention_and_no_cell(results: Results) -> None:
    said = markdown(renamed(results))
    lines = said.splitlines()

    assert len(lines) <= 60
    cells = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")}
    assert cells == {7}
    assert set(re.findall(r"<\w+|</\w+|<!", said)) == {"<br"}
    assert not re.search(r"@\w|(?<!&)#\d|(?<!\\)`|(?<!\\)\$|://", said)
    assert len(re.findall(r"(?<!\\)\]\(", said)) == 1


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param("p99_s *of* `x` [a](b)", r"p99\_s \*of\* \`x\` \[a\](b)", id="markup"),
        pytest.param("a|b\nc", r"a\|b c", id="table and line"),
        pytest.param("<b>&amp;", "&lt;b&gt;&amp;amp;", id="HTML"),
        pytest.param("@all #7 !9", "@&#8203;all #&#8203;7 !&#8203;9", id="mention and references"),
        pytest.param("https://a www.b", "https:&#8203;// www&#8203;.b".replace("// ", "//a "), id="links"),
        pytest.param("x" * 400, "x" * 299 + "…", id="endless"),
    ],
)
def test_a_text_is_shown_as_it_is(raw: str, shown: str) -> None:
    assert text(raw) == shown
