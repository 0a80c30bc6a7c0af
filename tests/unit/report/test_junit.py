from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from sloproof.experiment.summary import summarise
from sloproof.report.junit import junit
from tests.invention import HOSTILE, InventedTrial, facts, renamed

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention

# What the XML Schema of Jenkins' xUnit plugin (junit-10.xsd) knows, of what we write.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}
COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}


def parsed(results: Results) -> ET.Element:
    """Return the document, once it is what tools that read JUnit expect."""
    root = ET.fromstring(junit(results))  # noqa: S314 - our own
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    for parent in (root, *root):
        for count, tag in COUNTS.items():
            if count in parent.attrib:
                assert int(parent.attrib[count]) == len(parent.findall(f".//{tag}"))
        children = [float(child.attrib["time"]) for child in parent if "time" in child.attrib]
        assert float(parent.attrib["time"]) == pytest.approx(sum(children), abs=1e-6)
    return root


def case(root: ET.Element, suite: str, name: str) -> ET.Element:
    (found,) = [
        each
        for one in root
        if one.get("name") == suite
        for each in one.iter("testcase")
        if each.get("name") == name
    ]
    return found


def test_every_objective_of_every_configuration_is_a_case_and_passes_when_met(invention: Invention) -> None:
    invention.fill()

    root = parsed(summarise(invention.folder))

    assert [suite.get("name") for suite in root] == ["uvicorn-1", "uvicorn-4", "hypercorn-1", "hypercorn-4"]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("20", "0", "0")
    assert not root.findall(".//skipped")
    assert case(root, "uvicorn-1", "availability").get("classname") == "jobs.uvicorn-1"
    assert root[0].get("timestamp") == "2023-11-14T22:13:21"
    assert float(root[0].attrib["time"]) == pytest.approx(6 * 10.0)


def test_a_violation_fails_with_its_reason_and_figures(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", slow=30))

    failure = case(parsed(summarise(invention.folder)), "uvicorn-1", "submit-latency").find("failure")

    assert failure is not None
    assert failure.get("type") == "VIOLATED"
    assert "0 of 6 trials met 99 %" in failure.attrib["message"]
    assert failure.text is not None
    assert "clients: 5,820 of 6,000 good" in failure.text
    assert "a blind spot" in failure.text


def test_what_is_inconclusive_is_skipped_and_says_what_it_lacks(invention: Invention) -> None:
    for configuration in invention.configurations:
        invention.add(InventedTrial(configuration=configuration.id))

    root = parsed(summarise(invention.folder))
    skipped = case(root, "hypercorn-4", "completion").find("skipped")

    assert skipped is not None
    assert "further trials would probably decide" in skipped.attrib["message"]
    assert not len(case(root, "hypercorn-4", "integrity").findall("skipped"))


def test_a_configuration_without_a_valid_trial_is_an_error_with_every_reason(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", generator=facts(wait_ratio=1.0)))

    root = parsed(summarise(invention.folder))
    error = case(root, "uvicorn-1", "availability").find("error")

    assert error is not None
    assert error.get("type") == "INVALID"
    assert error.text is not None
    assert error.text.count("the generator was starved") == 6
    assert root.get("errors") == "4"
    assert not len(case(root, "uvicorn-1", "integrity").findall("error"))


def test_a_run_without_any_trial_is_all_errors_and_one_integrity_to_come(invention: Invention) -> None:
    root = parsed(summarise(invention.folder))

    assert (root.get("tests"), root.get("errors"), root.get("time")) == ("20", "16", "0.000")
    assert {each.get("skipped") for each in root} == {"1"}


def test_what_xml_cannot_hold_is_replaced_and_what_it_could_mistake_is_kept(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", generator=facts(wait_ratio=1.0)))

    results = renamed(summarise(invention.folder))
    document, root = junit(results), parsed(results)

    assert "\x00" not in document
    assert "\N{REPLACEMENT CHARACTER}[31m control" in document
    assert root[0].get("name") == f"{HOSTILE[0]} 0"
