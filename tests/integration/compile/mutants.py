"""Plausible mistakes in compiled rules, each with the proof that must catch it."""

from __future__ import annotations

from sloproof.compile import conventions as names
from tests.integration.compile.edits import (
    Mutant,
    alerting,
    annotation,
    another_severity,
    everywhere,
    floorless,
    labelled,
    lasting,
    pattern,
    recorded,
    replaced,
    swapped,
)

LATENCY, AVAILABILITY, COMPLETION = "submit-latency", "availability", "completion"
TIMES, BELOW = "page-fast fires and ends", "page-fast is silent just below"
OUTAGE, ONE, QUIET = "A total outage", "One failed request", "A quiet service's outage"
IDLE, WEIGHT, BIRTH, NEWCOMER = "Idle time", "Each event weighs", "A new series", "A new target"
UNSEEN, SPELT, OTHERS, APART, PERIOD = "No failure", "The bound", "Others'", "Failures far apart", "An event"


def _of(objective: str, series: str) -> str:
    return f'{series}{{sloth_id="jobs-{objective}"}}'


AVAILABLE_5M, REMAINING = _of(AVAILABILITY, names.error_ratio(300)), names.BUDGET_REMAINING

MUTANTS = [
    Mutant(id="a longer long window", objective=LATENCY, caught_by=TIMES, edit=alerting("rate1h", "rate6h")),
    Mutant(
        id="a shorter long window", objective=LATENCY, caught_by=TIMES, edit=alerting("rate1h", "rate30m")
    ),
    Mutant(
        id="a longer short window", objective=LATENCY, caught_by=TIMES, edit=alerting("rate5m", "rate30m")
    ),
    Mutant(
        id="long and short the same", objective=LATENCY, caught_by=TIMES, edit=alerting("rate1h", "rate5m")
    ),
    Mutant(
        id="a window recorded over another",
        objective=LATENCY,
        caught_by=TIMES,
        edit=recorded(names.error_ratio(3_600), "1h", "30m"),
    ),
    Mutant(
        id="two recorded windows swapped",
        objective=LATENCY,
        caught_by=TIMES,
        edit=swapped(names.error_ratio(300), names.error_ratio(3_600)),
    ),
    Mutant(
        id="a window by another's label",
        objective=LATENCY,
        caught_by=BELOW,
        edit=labelled(names.error_ratio(3_600), names.WINDOW, "5m"),
    ),
    Mutant(id="a lower factor", objective=LATENCY, caught_by=BELOW, edit=alerting("> 14.4", "> 13.44")),
    Mutant(id="a higher factor", objective=LATENCY, caught_by=TIMES, edit=alerting("> 14.4", "> 17")),
    Mutant(
        id="or for and between the windows",
        objective=LATENCY,
        caught_by=TIMES,
        edit=alerting("\nand\n", "\nor\n", times=1),
    ),
    Mutant(
        id="a lost without",
        objective=AVAILABILITY,
        caught_by=OUTAGE,
        edit=alerting("without (sloth_window)", "without ()"),
    ),
    Mutant(id="a bucket above", objective=LATENCY, caught_by=BELOW, edit=everywhere('le="0.25"', 'le="0.5"')),
    Mutant(
        id="a bucket below", objective=LATENCY, caught_by=BELOW, edit=everywhere('le="0.25"', 'le="0.125"')
    ),
    Mutant(
        id="one spelling of a bound",
        objective=COMPLETION,
        caught_by=SPELT,
        edit=pattern(r'le=~"2\|[^"]*"', 'le="2"'),
    ),
    Mutant(id="a negated matcher", objective=LATENCY, caught_by=BELOW, edit=everywhere("!~", "=~")),
    Mutant(
        id="a refusal is good", objective=AVAILABILITY, caught_by=BELOW, edit=everywhere("5..|429", "5..")
    ),
    Mutant(
        id="the client's mistake is bad",
        objective=AVAILABILITY,
        caught_by=BELOW,
        edit=everywhere("5..|429", "[45].."),
    ),
    Mutant(
        id="failures in time are good",
        objective=LATENCY,
        caught_by=BELOW,
        edit=pattern(r',http_response_status_code!~"[^"]*"', ""),
    ),
    Mutant(id="every route", objective=LATENCY, caught_by=OTHERS, edit=everywhere(',http_route="/jobs"', "")),
    Mutant(id="every service", objective=AVAILABILITY, caught_by=OTHERS, edit=pattern(r'job="jobs",?', "")),
    Mutant(
        id="a lost zero",
        objective=AVAILABILITY,
        caught_by=UNSEEN,
        edit=pattern(r"\n\s+or\n\s+vector\(0\)", ""),
    ),
    Mutant(
        id="a lost guard against none", objective=LATENCY, caught_by=IDLE, edit=pattern(r"\n\s+> 0\n", "\n")
    ),
    Mutant(
        id="bad and total swapped",
        objective=AVAILABILITY,
        caught_by=WEIGHT,
        edit=replaced(
            names.error_ratio(2_592_000),
            f"sum_over_time({_of(AVAILABILITY, names.TOTAL)}[30d])"
            f" / (sum_over_time({_of(AVAILABILITY, names.BAD)}[30d]) > 0)",
        ),
    ),
    Mutant(
        id="a mean of ratios",
        objective=AVAILABILITY,
        caught_by=WEIGHT,
        edit=replaced(
            names.error_ratio(2_592_000),
            f"sum_over_time({AVAILABLE_5M}[30d]) / count_over_time({AVAILABLE_5M}[30d])",
        ),
    ),
    Mutant(
        id="bad events without ignoring the window's label",
        objective=AVAILABILITY,
        caught_by=WEIGHT,
        edit=recorded(names.BAD, "ignoring (sloth_window) ", ""),
    ),
    Mutant(
        id="a month that is a week",
        objective=AVAILABILITY,
        caught_by=PERIOD,
        edit=everywhere("[30d]", "[7d]"),
    ),
    Mutant(
        id="a month of four weeks",
        objective=AVAILABILITY,
        caught_by=PERIOD,
        edit=everywhere("[30d]", "[28d]"),
    ),
    Mutant(
        id="a month that is a quarter",
        objective=AVAILABILITY,
        caught_by=PERIOD,
        edit=everywhere("[30d]", "[90d]"),
    ),
    Mutant(
        id="another budget in an alert",
        objective=LATENCY,
        caught_by=BELOW,
        edit=alerting("/ 0.01)", "/ 0.005)"),
    ),
    Mutant(
        id="another budget in what is left",
        objective=LATENCY,
        caught_by=WEIGHT,
        edit=recorded(names.PERIOD_BURN_RATE, "/ 0.01", "/ 0.001"),
    ),
    Mutant(
        id="another budget recorded",
        objective=LATENCY,
        caught_by=OUTAGE,
        edit=recorded(names.BUDGET, "0.01", "0.1"),
    ),
    Mutant(
        id="what is spent for what is left",
        objective=LATENCY,
        caught_by=IDLE,
        edit=recorded(REMAINING, "1 - ", ""),
    ),
    Mutant(
        id="the rate now of a window that is not recorded",
        objective=LATENCY,
        caught_by=OUTAGE,
        edit=recorded(names.CURRENT_BURN_RATE, "ratio_rate5m", "ratio_rate5s"),
    ),
    Mutant(
        id="a floor of the last five minutes",
        objective=AVAILABILITY,
        caught_by=APART,
        edit=pattern(r"(sum_over_time\(slo:sli_bad[^[]*)\[1h\]", r"\1[5m]"),
    ),
    Mutant(
        id="a floor of three days",
        objective=AVAILABILITY,
        caught_by=APART,
        edit=pattern(r"(sum_over_time\(slo:sli_bad[^[]*)\[1h\]", r"\1[3d]"),
    ),
    Mutant(id="no floor", objective=AVAILABILITY, caught_by=ONE, edit=floorless),
    Mutant(id="a floor of one", objective=AVAILABILITY, caught_by=ONE, edit=everywhere("4.5", "0.5")),
    Mutant(
        id="a floor that counts every evaluation",
        objective=AVAILABILITY,
        caught_by=ONE,
        edit=everywhere(" / 10 >", " >"),
    ),
    Mutant(
        id="a floor ten times as high",
        objective=AVAILABILITY,
        caught_by=QUIET,
        edit=pattern(r"> 4\.(5|737)", r"> 4\1"),
    ),
    Mutant(
        id="a floor that waits five minutes",
        objective=AVAILABILITY,
        caught_by=QUIET,
        edit=pattern(r"\n\s+or\n\s+slo:sli_bad.*", ""),
    ),
    Mutant(
        id="no care for new series",
        objective=AVAILABILITY,
        caught_by=BIRTH,
        edit=pattern(r"(?s)\n[^\n]*\n[^\n]*unless [^\n]* offset.*?\bor\n", "\n"),
    ),
    Mutant(
        id="no care for new series that begin anew",
        objective=AVAILABILITY,
        caught_by=BIRTH,
        edit=pattern(r"\n[^\n]*unless resets\([^\n]*", ""),
    ),
    Mutant(
        id="another offset",
        objective=AVAILABILITY,
        caught_by=BIRTH,
        edit=pattern(r"(unless [^\n]*) offset 5m", r"\1 offset 1m"),
    ),
    Mutant(
        id="old events of a new target",
        objective=AVAILABILITY,
        caught_by=NEWCOMER,
        edit=pattern(r"\n[^\n]*and on \(job, instance\)[^\n]*", ""),
    ),
    Mutant(
        id="old events of a target that was down",
        objective=AVAILABILITY,
        caught_by=NEWCOMER,
        edit=pattern(r"(up offset \w+) == 1", r"\1"),
    ),
    Mutant(
        id="old events of a new instance of a known job",
        objective=AVAILABILITY,
        caught_by=NEWCOMER,
        edit=everywhere("on (job, instance)", "on (job)"),
    ),
    Mutant(
        id="no care that a series is new",
        objective=AVAILABILITY,
        caught_by=BIRTH,
        edit=pattern(r"\n[^\n]*unless [^\n]* offset \w+(?=\n)", ""),
    ),
    Mutant(
        id="the rate now for the rate of the month",
        objective=LATENCY,
        caught_by=WEIGHT,
        edit=recorded(REMAINING, names.PERIOD_BURN_RATE, names.CURRENT_BURN_RATE),
    ),
    Mutant(
        id="events of one minute for five",
        objective=AVAILABILITY,
        caught_by=OTHERS,
        edit=recorded(names.TOTAL, "5m", "1m"),
    ),
    Mutant(id="another severity", objective=LATENCY, caught_by=OUTAGE, edit=another_severity),
    Mutant(
        id="another objective's ratio",
        objective=LATENCY,
        caught_by=OUTAGE,
        edit=alerting("jobs-submit-latency", "jobs-read-latency"),
    ),
    Mutant(id="no patience for gone metrics", objective=LATENCY, caught_by=IDLE, edit=lasting(None)),
    Mutant(id="too much patience for gone metrics", objective=LATENCY, caught_by=IDLE, edit=lasting("20m")),
    Mutant(
        id="idle taken for gone",
        objective=LATENCY,
        caught_by=IDLE,
        edit=alerting(names.TOTAL, names.error_ratio(300), tier="absence"),
    ),
    Mutant(
        id="gone that is never told",
        objective=LATENCY,
        caught_by=IDLE,
        edit=alerting(names.TOTAL, names.BUDGET, tier="absence"),
    ),
    Mutant(
        id="an annotation that tells what is spent",
        objective=LATENCY,
        caught_by=OUTAGE,
        edit=annotation(REMAINING, names.PERIOD_BURN_RATE),
    ),
]
