"""How the dashboard's process starts."""

from __future__ import annotations

import pytest

from finops.errors import InvalidInput
from finops.settings import Settings
from finops_web.__main__ import connect


def test_the_demo_is_served_to_this_machine_alone() -> None:
    with pytest.raises(InvalidInput, match="FINOPS_WEB_HOST"):
        connect(Settings(demo=True, web_host="0.0.0.0", redis_url="redis://127.0.0.1:1/0"))
