"""Every file that a run's results make, as names and texts; whoever calls writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.results import to_json
from sloproof.report.junit import junit
from sloproof.report.markdown import markdown
from sloproof.report.page import ASSETS, LINKED, asset, page, trial_page
from sloproof.report.spreadsheet import summary_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.results import Results
    from sloproof.report.histograms import Histograms


def documents(results: Results, histograms: Histograms) -> Iterator[tuple[str, str]]:
    """Yield each file's path, relative to the folder of the run, with its text; made when it is asked for.

    `histograms` are of the same trials as the results.
    """
    yield "results.json", to_json(results)
    yield "report.html", page(results)
    yield "report.md", markdown(results)
    yield "junit.xml", junit(results)
    yield "summary.csv", summary_csv(results)
    for name in LINKED:
        yield f"{ASSETS}/{name}", asset(name)
    for trial in results.trials:
        yield f"trials/{trial.folder}/trial.html", trial_page(results, trial)
    for configuration in results.configurations:
        yield f"histograms/{configuration.id}.hlog", histograms.text(configuration.id)
