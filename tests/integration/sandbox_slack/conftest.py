"""A running double and clients for it, for every test of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from tests.support.slack_workspace import workspace_of_a_larger_app

from finops_sandbox.slack import SlackControl, SlackDouble

BOT_TOKEN = "xoxb-sandbox-finops"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[SlackDouble]:
    # Tests of the limits switch them on; the others need not wait.
    with SlackDouble(limits="off", workspace=workspace_of_a_larger_app(tmp_path)) as double:
        yield double


@pytest.fixture
def control(slack: SlackDouble) -> SlackControl:
    return slack.control


@pytest.fixture
def client(slack: SlackDouble) -> WebClient:
    # No retry handlers: what the double answers is what the test sees.
    return WebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[], timeout=5)


def close_socket_client(client: SocketModeClient, control: SlackControl) -> None:
    """Close an SDK client at once: by itself it waits up to three seconds for a byte before it lets go."""
    stay_closed(client)
    control.conditions.socket(kind="drop")
    client.close()
    if client.current_session is not None:
        # A reconnect under way when the client was closed leaves its session open.
        client.current_session.close()


def stay_closed(client: SocketModeClient) -> None:
    """Tell an SDK client not to come back; every reconnect would restore the default."""
    client.default_auto_reconnect_enabled = False
    client.auto_reconnect_enabled = False
