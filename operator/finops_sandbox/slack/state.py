"""The workspace's whole state in memory.

The server owns one instance; the Web API, the socket, the control API and the page all work on it from one event loop,
so nothing here locks.
"""

from finops_sandbox.slack.changes import Changes
from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.conversations import Conversations
from finops_sandbox.slack.directory import Directory
from finops_sandbox.slack.faults import FaultBook
from finops_sandbox.slack.issuer import Issuer
from finops_sandbox.slack.limits import RateLimiter
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.open_views import OpenViews
from finops_sandbox.slack.record import Record
from finops_sandbox.slack.workspace import Seed


class State:
    """The parts of one workspace, and how all of them go back to the seed together."""

    def __init__(self, seed: Seed, clock: Clock) -> None:
        self.seed = seed
        self.clock = clock
        self.limiter = RateLimiter(clock)
        self.faults = FaultBook()
        self.changes = Changes()
        self.issuer = Issuer(clock, seed.team().id)
        self.reset()

    def reset(self) -> None:
        """Go back to the seed; time stays where it is."""
        self.directory = Directory(self.seed)
        self.conversations = Conversations(self.seed.channels(), self.directory.app.bot_user, self.clock, self.changes)
        self.views = OpenViews(self.changes)
        self.record = Record(self.clock)
        self.issuer.reset()
        self.limiter.reset()
        self.faults.clear()
        self.changes.touch()

    def dump(self) -> Json:
        """Return everything as JSON values."""
        return {
            "now": self.clock.now(),
            "clock_offset_seconds": self.clock.offset_seconds,
            **self.directory.as_json(),
            **self.conversations.as_json(),
            **self.views.as_json(),
            **self.issuer.as_json(),
            "failures": list(self.record.failures),
            "faults": self.faults.as_json(),
            "rates": self.limiter.rates(),
        }
