"""One cluster for all tests of the dashboard: making its certificates takes a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.web_estate import Site, running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a maker of dashboards in front of one cluster."""
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made
