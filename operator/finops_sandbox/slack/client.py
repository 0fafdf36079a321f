"""The control API from Python, blocking and without dependencies: for tests, the demo and the supervisor.

Every act is a method with keyword arguments, the JSON fields of the same name. The classes are the client's side of
`people_acts`, `workspace_changes`, `conditions` and `observation`.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from finops_sandbox.slack.model import Json

T = TypeVar("T")
DEFAULT_CHANNEL = "C0FINOPS01"


class ControlRefusedError(Exception):
    """The double refused an act: what Slack would not have allowed, or a request that makes no sense."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code} (HTTP {status}): {detail}" if detail else f"{code} (HTTP {status})")
        self.status = status
        self.code = code
        self.detail = detail


class ControlEndpoint:
    """The address of a running double. Proxies of the environment are not used: the double is on this machine."""

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def act(self, name: str, **body: Any) -> Json:
        """POST one act. Raises ControlRefusedError."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the address is the double's own
            f"{self.url}/_fake/{name}", data=data, headers={"Content-Type": "application/json"}
        )
        found: Json = self._send(request)
        return found

    def read(self, name: str, **query: str | None) -> Any:
        """GET one view of the inside."""
        text = urllib.parse.urlencode({key: value for key, value in query.items() if value})
        return self._send(urllib.request.Request(f"{self.url}/_fake/{name}?{text}"))  # noqa: S310 - as above

    def _send(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            try:
                body = json.loads(text)
            except json.JSONDecodeError:
                body = {"error": "not_json", "detail": text[:300]}
            raise ControlRefusedError(error.code, body.get("error", ""), body.get("detail", "")) from None


class PeopleClient:
    """What people do."""

    def __init__(self, endpoint: ControlEndpoint) -> None:
        self._endpoint = endpoint

    def click(self, *, user: str, action: str, channel: str = DEFAULT_CHANNEL, **more: Any) -> Json:
        """Click an element of a message: `message`, `block`, `option`, `confirm`, `stale` as in `People.click`."""
        return self._endpoint.act("click", user=user, action=action, channel=channel, **more)

    def view_action(self, *, user: str, action: str, **more: Any) -> Json:
        """Click an element in the person's top modal, or with view="home" on the App Home."""
        return self._endpoint.act("view_action", user=user, action=action, **more)

    def submit_view(self, *, user: str, values: dict[str, dict[str, Any]] | None = None, view: str = "") -> Json:
        """Fill in and submit the top modal; `errors` in the answer are what the person sees."""
        return self._endpoint.act("submit_view", user=user, values=values or {}, view=view)

    def close_view(self, *, user: str, everything: bool = False) -> Json:
        """Close the top modal, or all."""
        return self._endpoint.act("close_view", user=user, everything=everything)

    def slash(self, *, user: str, text: str = "", command: str = "/finops", channel: str = DEFAULT_CHANNEL) -> Json:
        """Type a slash command."""
        return self._endpoint.act("slash", user=user, text=text, command=command, channel=channel)

    def open_home(self, *, user: str) -> Json:
        """Open the app's Home tab."""
        return self._endpoint.act("open_home", user=user)

    def event(self, *, event: Json) -> Json:
        """Send an Events API event."""
        return self._endpoint.act("event", event=event)

    def say(self, *, user: str, text: str, channel: str = DEFAULT_CHANNEL, thread: str = "") -> Json:
        """Write a plain message."""
        return self._endpoint.act("say", user=user, text=text, channel=channel, thread=thread)


class WorkspaceChangesClient:
    """What changes around the app."""

    def __init__(self, endpoint: ControlEndpoint) -> None:
        self._endpoint = endpoint

    def change_group(self, *, group: str, add: list[str] | None = None, remove: list[str] | None = None) -> Json:
        """Change a user group's members."""
        return self._endpoint.act("change_group", group=group, add=add or [], remove=remove or [])

    def deactivate_user(self, *, user: str, deleted: bool = True) -> Json:
        """Deactivate an account, or bring it back."""
        return self._endpoint.act("deactivate_user", user=user, deleted=deleted)

    def change_channel(self, *, channel: str, **more: Any) -> Json:
        """Archive a channel (`archived`) or change its members (`add`, `remove`)."""
        return self._endpoint.act("change_channel", channel=channel, **more)

    def revoke_token(self, *, token: str, revoked: bool = True) -> Json:
        """Revoke a token, or undo that."""
        return self._endpoint.act("revoke_token", token=token, revoked=revoked)

    def set_scopes(self, *, token: str, scopes: list[str]) -> Json:
        """Replace a token's scopes."""
        return self._endpoint.act("set_scopes", token=token, scopes=scopes)

    def reset(self) -> Json:
        """Go back to the seed."""
        return self._endpoint.act("reset")


class ConditionsClient:
    """Time, rate limits, failures on command, disturbed sockets."""

    def __init__(self, endpoint: ControlEndpoint) -> None:
        self._endpoint = endpoint

    def advance_clock(self, *, seconds: float) -> Json:
        """Let Slack's time pass."""
        return self._endpoint.act("advance_clock", seconds=seconds)

    def fault(self, *, method: str, **more: Any) -> Json:
        """Make the next calls of a method fail: the fields of `faults.Fault`."""
        return self._endpoint.act("fault", method=method, **more)

    def clear_faults(self) -> Json:
        """Forget the faults still waiting."""
        return self._endpoint.act("clear_faults")

    def limits(self, *, mode: str) -> Json:
        """Switch rate limits: off, normal, strict."""
        return self._endpoint.act("limits", mode=mode)

    def socket(self, *, kind: str, **more: Any) -> Json:
        """Disturb sockets: disconnect (with `reason`), drop, half_open, heal, garbage, drop_after_delivery (`n`)."""
        return self._endpoint.act("socket", kind=kind, **more)

    def duplicate(self, *, envelope: str = "", connection: str = "any", retry_attempt: int = 1) -> Json:
        """Deliver an envelope again under the same id."""
        return self._endpoint.act("duplicate", envelope=envelope, connection=connection, retry_attempt=retry_attempt)


class ObservationClient:
    """What can be read of the workspace."""

    def __init__(self, endpoint: ControlEndpoint) -> None:
        self._endpoint = endpoint

    def health(self) -> Json:
        """Readiness, open connections, number of failures."""
        found: Json = self._endpoint.read("health")
        return found

    def messages(self, *, channel: str = DEFAULT_CHANNEL, thread: str | None = None) -> list[Json]:
        """Stored messages, oldest first, with metadata and earlier versions."""
        found: list[Json] = self._endpoint.read("messages", channel=channel, thread=thread)
        return found

    def ephemerals(self, *, user: str | None = None, channel: str | None = None) -> list[Json]:
        """Messages only one person sees."""
        found: list[Json] = self._endpoint.read("ephemerals", user=user, channel=channel)
        return found

    def views(self, *, user: str) -> list[Json]:
        """The person's open modals, bottom first."""
        found: list[Json] = self._endpoint.read("views", user=user)
        return found

    def home(self, *, user: str) -> Json | None:
        """The person's App Home, if published."""
        found: Json | None = self._endpoint.read("home", user=user)
        return found

    def calls(self, *, method: str | None = None) -> list[Json]:
        """Every Web API call so far, with arguments, time and answer."""
        found: list[Json] = self._endpoint.read("calls", method=method)
        return found

    def failures(self) -> list[Json]:
        """What must not happen: unknown methods, malformed acknowledgements, impossible view answers."""
        found: list[Json] = self._endpoint.read("failures")
        return found

    def rates(self) -> Json:
        """Measured posting rates and refusals."""
        found: Json = self._endpoint.read("rates")
        return found

    def envelopes(self) -> Json:
        """Connections, envelopes with their acknowledgements, counters."""
        found: Json = self._endpoint.read("envelopes")
        return found

    def dump(self) -> Json:
        """Everything."""
        found: Json = self._endpoint.read("dump")
        return found


class SlackControl:
    """Controls a running double at `url`: people act, the workspace and its conditions change, its inside is read."""

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        self.endpoint = ControlEndpoint(url, timeout_seconds)
        self.people = PeopleClient(self.endpoint)
        self.workspace = WorkspaceChangesClient(self.endpoint)
        self.conditions = ConditionsClient(self.endpoint)
        self.observed = ObservationClient(self.endpoint)

    def wait_for(self, probe: Callable[[], T], timeout_seconds: float = 10.0) -> T:
        """Call the probe until it returns something true, and return that. Raises TimeoutError."""
        until = time.monotonic() + timeout_seconds
        while True:
            if found := probe():
                return found
            if time.monotonic() > until:
                raise TimeoutError(f"nothing within {timeout_seconds:g} s; last seen: {found!r}")
            time.sleep(0.02)
