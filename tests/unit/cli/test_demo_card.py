"""The demo's script waits for the card that shows the end, not for the one before it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from finops.domain.decision import State
from finops_sandbox.demo.loop import _shown

_ENDED = cast("Any", SimpleNamespace(status=SimpleNamespace(state=State.SUCCEEDED)))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("The change is made and is being verified.", False),
        ("*Done and verified: m5.xlarge.*", True),
    ],
)
def test_a_card_that_is_being_verified_does_not_show_the_end(words: str, shown: bool) -> None:
    card = {"ts": "1.1", "text": "Resize api", "blocks": [{"type": "section", "text": {"text": words}}]}
    observed = SimpleNamespace(messages=lambda channel: [card] if channel else [])
    demo = cast("Any", SimpleNamespace(slack=SimpleNamespace(observed=observed)))
    assert (_shown(demo, "C1", "1.1", _ENDED) is not None) is shown
