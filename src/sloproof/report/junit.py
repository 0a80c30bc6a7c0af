"""The verdicts as JUnit XML for CI systems: a suite for each configuration, a case for each objective."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from sloproof.analysis.verdicts import Verdict
from sloproof.report.text import counted, percent
from sloproof.slo.fileformat import INTEGRITY

if TYPE_CHECKING:
    from sloproof.analysis.results import ConfigurationResult, ObjectiveResult, Results, TrialResult

# Source: XML 1.0, fifth edition, section 2.2, "Char".
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Results) -> str:
    """Return the verdicts as JUnit XML.

    MET passes, VIOLATED fails, INCONCLUSIVE is skipped, and an objective of a configuration without a valid
    measurement is an error; each says why. All objectives are measured in the same trials, whose time its
    cases share equally, so that times add up.
    """
    root = ET.Element("testsuites", name=_xml(f"{results.service}: {results.experiment}"))
    for configuration in results.configurations:
        root.append(_suite(results, configuration))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', 0)) for suite in root):.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False, short_empty_elements=True).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _suite(results: Results, configuration: ConfigurationResult) -> ET.Element:
    trials = [trial for trial in results.trials if trial.configuration == configuration.id]
    case_s = sum(sum(trial.seconds.values()) for trial in trials) / len(configuration.objectives)
    cases = [
        _case(f"{results.service}.{configuration.id}", objective, trials, seconds=f"{case_s:.3f}")
        for objective in configuration.objectives
    ]
    began_at = min((trial.started_at for trial in trials), default=None)
    started = (
        datetime.fromisoformat(results.started_at)
        if began_at is None
        else datetime.fromtimestamp(began_at, UTC)
    )
    suite = ET.Element(
        "testsuite",
        name=_xml(configuration.id),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{sum(float(case.get('time', 0)) for case in cases):.3f}",
        timestamp=started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in {"run": results.run, **configuration.factors}.items():
        ET.SubElement(properties, "property", name=_xml(name), value=_xml(value))
    suite.extend(cases)
    return suite


def _case(
    classname: str, objective: ObjectiveResult, trials: list[TrialResult], *, seconds: str
) -> ET.Element:
    case = ET.Element("testcase", classname=_xml(classname), name=_xml(objective.name), time=seconds)
    if objective.name != INTEGRITY and not any(trial.valid for trial in trials):
        _end(case, "error", "no valid measurement", type="INVALID").text = _xml(_why_invalid(trials))
        return case
    match objective.verdict:
        case Verdict.VIOLATED:
            _end(case, "failure", objective.reason, type="VIOLATED").text = _xml(_figures(objective))
        case Verdict.INCONCLUSIVE:
            _end(case, "skipped", objective.reason)
        case Verdict.MET:
            ET.SubElement(case, "system-out").text = _xml(_figures(objective))
    return case


def _end(case: ET.Element, tag: str, message: str, **attributes: str) -> ET.Element:
    return ET.SubElement(case, tag, {"message": _xml(message), **attributes})


def _why_invalid(trials: list[TrialResult]) -> str:
    if not trials:
        return "no trial has ended"
    return "\n".join(f"{trial.folder}: {'; '.join(trial.problems)}" for trial in trials)


def _figures(objective: ObjectiveResult) -> str:
    lines = [objective.reason]
    if interval := objective.interval:
        lines.append(
            f"typical trial {percent(interval.median)}, "
            f"interval {percent(interval.low)} to {percent(interval.high)}"
        )
    if objective.client:
        lines.append(f"clients: {counted(objective.client)} good")
    if objective.server:
        lines.append(f"server: {counted(objective.server)} good")
    if objective.finding:
        lines.append(objective.finding)
    return "\n".join(lines)


def _xml(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
