"""The pages in a real browser, opened from disk as a reader opens them."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error, sync_playwright

from sloproof.experiment.summary import summarise
from sloproof.report.documents import documents
from sloproof.report.page import page as report_page
from tests.invention import InventedTrial, Invention, facts, renamed, reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

FIRST_SCREEN = {"width": 1280, "height": 800}
# A chart has data when every series it was given has values, and blank when its canvas holds one colour.
CHARTS = """() => sloproof.charts.map((chart) => {
  const plot = sloproof.drawn.get(chart);
  if (!plot) return { id: chart.id, drawn: false };
  const { width, height } = plot.ctx.canvas;
  const pixels = new Uint32Array(plot.ctx.getImageData(0, 0, width, height).data.buffer);
  return {
    id: chart.id,
    drawn: true,
    values: plot.data.slice(1).map((column) => column.filter((value) => value !== null).length),
    inked: pixels.some((pixel) => pixel !== pixels[0]),
  };
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Chromium; without one, skip, or fail where one is required."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except Error as error:
            if os.environ.get("REQUIRE_BROWSER") == "1":
                pytest.fail(f"REQUIRE_BROWSER=1, and no Chromium starts: {error}")
            pytest.skip(f"no Chromium starts (CHROMIUM names one): {error}")
        yield chromium
        chromium.close()


class Visit:
    """A page that a reader opened, with everything that it complained of or asked for."""

    def __init__(self, browser: Browser, path: Path, **context: Any) -> None:  # noqa: ANN401 - Playwright's own
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.page: Page = browser.new_context(**{"viewport": FIRST_SCREEN, **context}).new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.goto(path.as_uri())

    def charts(self) -> list[dict[str, Any]]:
        """Return what each chart shows once the reader has scrolled to it."""
        for figure in self.page.locator(".chart").all():
            if figure.is_visible():
                figure.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "sloproof.charts.every((chart) => sloproof.drawn.has(chart) || "
            "!document.getElementById(chart.id).clientWidth)"
        )
        found: list[dict[str, Any]] = self.page.evaluate(CHARTS)
        return found

    def overflows(self) -> bool:
        """Return whether the page is wider than the window."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide

    def close(self) -> None:
        """Close the page; nothing may have been wrong with it, and nothing fetched from elsewhere."""
        self.page.context.close()
        assert self.complaints == []
        assert [url for url in self.requested if not url.startswith("file://")] == []


def write(invention: Invention, *, hostile: bool = False) -> Path:
    """Write the reports of a run; return its folder."""
    results, histograms = reported(invention.folder)
    made = documents(renamed(results) if hostile else results, histograms)
    for name, text in made:
        if hostile and name.startswith("histograms"):
            continue  # a file cannot be named so: an experiment's configurations never are
        path = invention.folder.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return invention.folder.path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    invention = Invention(tmp_path_factory.mktemp("run"))
    invention.fill(
        uvicorn_1=InventedTrial(configuration="", slow=30, statuses={5: 503}),
        hypercorn_4=InventedTrial(configuration="", generator=facts(wait_ratio=0.4)),
    )
    return write(invention)


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    invention = Invention(tmp_path_factory.mktemp("hostile"))
    invention.fill(uvicorn_1=InventedTrial(configuration="", slow=30))
    return write(invention, hostile=True)


def test_the_first_screen_holds_the_answer(browser: Browser, run: Path) -> None:
    visit = Visit(browser, run / "report.html")

    for part in ("h1", ".matrix"):
        box = visit.page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= FIRST_SCREEN["height"]
    assert "uvicorn-1 violates at least one" in visit.page.locator("h1").inner_text()
    assert visit.page.locator(".matrix td.VIOLATED").count() == 2
    assert not visit.overflows()
    visit.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["report.html", "trials/b01-uvicorn-1/trial.html"])
def test_every_chart_has_data_in_light_and_dark(browser: Browser, run: Path, page: str, scheme: str) -> None:
    visit = Visit(browser, run / page, color_scheme=scheme)

    charts = visit.charts()

    assert len(charts) == (3 + 3 * 3 if page == "report.html" else 3)
    for chart in charts:
        assert chart["drawn"], chart
        assert chart["inked"], chart
        assert len(chart["values"]) >= 2, chart
        assert min(chart["values"]) > 1, chart
    visit.close()


@pytest.mark.parametrize("page", ["report.html", "trials/b01-uvicorn-1/trial.html"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(
    browser: Browser, run: Path, page: str
) -> None:
    visit = Visit(browser, run / page, viewport={"width": 390, "height": 844})

    assert all(chart["inked"] for chart in visit.charts())
    assert not visit.overflows()
    visit.close()


@pytest.mark.parametrize("page", ["report.html", "trials/b01-uvicorn-1/trial.html"])
def test_the_time_is_drawn_in_parts_that_fill_their_bar(browser: Browser, run: Path, page: str) -> None:
    visit = Visit(browser, run / page)

    bars = visit.page.locator(".bar").all()
    drawn = [(bar.bounding_box(), [part.bounding_box() for part in bar.locator("i").all()]) for bar in bars]
    assert len(bars) == (2 * 3 if page == "report.html" else 2)
    for whole, parts in drawn:
        assert whole is not None
        widths = [part["width"] for part in parts if part is not None]
        assert len(widths) == 4
        assert sum(widths) == pytest.approx(whole["width"], rel=0.01)
    assert visit.page.get_by_role("columnheader", name="Prometheus", exact=True).count() == 1
    visit.close()


def test_the_reader_goes_to_a_trial_and_back(browser: Browser, run: Path) -> None:
    visit = Visit(browser, run / "report.html")

    visit.page.get_by_text("trials, in the order in which they ran").click()
    visit.page.get_by_role("link", name="b01-hypercorn-4").click()

    assert "invalid, counts for integrity alone" in visit.page.locator("h1").inner_text()
    assert "waited for a processor" in visit.page.locator(".notes").inner_text()
    for link in visit.page.get_by_role("link").all():
        assert (run / "trials" / "b01-hypercorn-4" / (link.get_attribute("href") or "absent")).exists()
    visit.page.get_by_role("link", name="← jobs").click()
    assert "uvicorn-1 violates" in visit.page.locator("h1").inner_text()
    visit.close()


@pytest.mark.parametrize("page", ["report.html", "trials/b02-uvicorn-1/trial.html"])
@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_names_do_no_harm(browser: Browser, hostile_run: Path, page: str, width: int) -> None:
    visit = Visit(browser, hostile_run / page, viewport={"width": width, "height": 800})

    charts = visit.charts()

    assert len(charts) == (3 + 4 * 3 if page == "report.html" else 3)
    assert all(chart["inked"] and min(chart["values"]) > 1 for chart in charts)
    assert visit.page.locator("img").count() == 0
    assert visit.page.locator("script").count() == 3
    assert "</script><script>alert('x')</script>" in visit.page.locator("body").inner_text()
    assert not visit.overflows()
    visit.close()


def test_a_matrix_of_many_configurations_draws_what_the_reader_picks(
    browser: Browser, tmp_path: Path
) -> None:
    invention = Invention(tmp_path)
    for block in (1, 2):
        for each in invention.configurations:
            invention.add(InventedTrial(configuration=each.id, block=block))
    results = summarise(invention.folder)
    one = results.configurations[0]
    many = replace(results, configurations=tuple(replace(one, id=f"c{n:03}") for n in range(200)))
    path = tmp_path / "many.html"
    path.write_text(report_page(many), encoding="utf-8")
    visit = Visit(browser, path)

    assert visit.page.locator(".over-time:visible").count() == 8
    visit.page.locator(".picker summary").click()
    visit.page.get_by_label("c150").check()
    visit.page.get_by_label("c000").uncheck()

    assert visit.page.locator("#picked").inner_text() == "8"
    assert visit.page.locator(".over-time:visible h3").all_inner_texts()[-1] == "c150"
    drawn = [chart for chart in visit.charts() if chart["drawn"]]
    assert len(drawn) >= 3 + 8 * 3
    legend = visit.page.locator("#percentiles-0 .u-legend").inner_text()
    assert "c150" in legend
    assert "c000" not in legend
    visit.close()


def test_paper_is_light_and_shows_what_was_folded(browser: Browser, run: Path) -> None:
    visit = Visit(browser, run / "report.html", color_scheme="dark")

    visit.page.emulate_media(media="print")

    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visit.page.wait_for_function("sloproof.charts.every((chart) => sloproof.drawn.has(chart))")
    assert all(chart["inked"] for chart in visit.page.evaluate(CHARTS))
    assert visit.page.pdf()[:5] == b"%PDF-"
    visit.close()
