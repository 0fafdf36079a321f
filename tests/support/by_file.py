"""How the processes of one run share the tests: by files, whose tests share what they started."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling


class ByFile(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a file to one process; of some each test to whichever is free, and some folders whole to one."""

    def __init__(
        self, config: pytest.Config, log: Producer, *, divided: Sequence[str] = (), together: Sequence[str] = ()
    ) -> None:
        """`divided`: ends of names of files of single tests; `together`: folders whose files share one process."""
        super().__init__(config, log)
        self._divided = tuple(divided)
        self._together = tuple(together)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if any(folder in file for folder in self._together):
            return " and ".join(self._together)
        return nodeid if self._divided and file.endswith(self._divided) else file
