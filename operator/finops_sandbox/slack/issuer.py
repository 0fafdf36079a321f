"""What the workspace gives out: ids, message timestamps, trigger ids, response URLs and socket tickets."""

import random
from dataclasses import asdict

from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.model import Json, ResponseUrl, Trigger

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


class Issuer:
    """Issues identifiers that are unique within a run, and keeps those whose use is checked later.

    `advertised_url` is the address that response URLs point to; the server sets it.
    """

    def __init__(self, clock: Clock, team_id: str) -> None:
        self.advertised_url = ""
        self._clock = clock
        self._team_id = team_id
        self.reset()

    def reset(self) -> None:
        """Withdraw everything issued, and start the sequence of ids again."""
        self.random = random.Random(4)  # noqa: S311 - ids only need Slack's form and must repeat between runs
        # Socket tickets and when they were issued.
        self.tickets: dict[str, float] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self._last_ts = 0
        self._trigger_count = 0

    def next_ts(self) -> str:
        """Return a message timestamp: seconds with six decimals, unique and growing."""
        micros = max(int(self._clock.now() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """Return an id of Slack's form: prefix and ten letters or digits."""
        return prefix + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=10))

    def new_hex(self, length: int = 32) -> str:
        """Return random hexadecimal digits (secrets of triggers and hooks, hashes of views)."""
        return "".join(self.random.choices("0123456789abcdef", k=length))

    def new_ticket(self) -> str:
        """Issue the single-use ticket that opens one socket."""
        ticket = self.new_hex(36)
        self.tickets[ticket] = self._clock.now()
        return ticket

    def new_trigger(self, user: str) -> str:
        """Issue a trigger id for what the user just did."""
        self._trigger_count += 1
        trigger_id = f"{int(self._clock.now() * 1000)}.{self._trigger_count}.{self.new_hex()}"
        self.triggers[trigger_id] = Trigger(trigger_id, user, self._clock.now())
        return trigger_id

    def new_response_url(self, user: str, channel: str, message_ts: str = "", thread_ts: str = "") -> str:
        """Issue a response URL that points back to this server."""
        key = self.new_hex(24)
        url = f"{self.advertised_url}/actions/{self._team_id}/{int(self._clock.now())}/{key}"
        self.response_urls[key] = ResponseUrl(key, url, user, channel, self._clock.now(), message_ts, thread_ts)
        return url

    def as_json(self) -> Json:
        """Return the response URLs as JSON values."""
        return {"response_urls": [asdict(item) for item in self.response_urls.values()]}
