"""A socket mode client that keeps what it receives, for the tests of the double."""

import json
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from finops_sandbox.slack import SlackDouble

APP_TOKEN = "xapp-sandbox-finops"
Payload = dict[str, Any]


class Recorder:
    """A bare socket client that keeps what it gets, and acknowledges if told to."""

    def __init__(self, slack: SlackDouble, *, answer: bool = True) -> None:
        self.answer = answer
        self.requests: list[SocketModeRequest] = []
        self.messages: list[Payload] = []
        web = WebClient(base_url=slack.api_url)
        self.client = SocketModeClient(app_token=APP_TOKEN, web_client=web, ping_interval=0.2)
        self.client.socket_mode_request_listeners.append(self._request)
        self.client.on_message_listeners.append(self._message)
        self.client.connect()

    def _message(self, text: str) -> None:
        if text.startswith('{"'):
            self.messages.append(json.loads(text))

    def _request(self, client: Any, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if self.answer:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.messages]
