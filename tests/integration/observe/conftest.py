from __future__ import annotations

import os
import time
from shutil import which
from typing import TYPE_CHECKING

import pytest

from sloproof.observe.address import parse_address
from sloproof.observe.prometheus import Prometheus
from tests.integration.observe.harness import Stand, backfill, eventually, exporter, history, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _prometheus_is_here() -> None:
    missing = [name for name in ("prometheus", "promtool") if which(name) is None]
    if missing and os.environ.get("REQUIRE_PROMETHEUS") == "1":
        pytest.fail(f"REQUIRE_PROMETHEUS=1, and there is no {' and no '.join(missing)} on PATH")
    if missing:
        pytest.skip(f"there is no {' and no '.join(missing)} on PATH")


@pytest.fixture(scope="session")
def stand(_prometheus_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Return a Prometheus with six hours of a shop's history that scrapes a service of jobs too."""
    folder = tmp_path_factory.mktemp("prometheus")
    began_s = backfill(folder, history, hours=6, now_s=int(time.time()))
    with exporter() as jobs, prometheus(folder, jobs) as url:
        with Prometheus(parse_address(url)) as asked:
            assert eventually(lambda: asked.number('up{job="jobs"} == 1')), "the service was never scraped"
        yield Stand(url=url, jobs=jobs, began_s=began_s)
