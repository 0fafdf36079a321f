"""Socket mode and interactions: slack_sdk's SocketModeClient and Bolt, unmodified, against the double."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from tests.integration.sandbox_slack.conftest import close_socket_client, stay_closed
from tests.integration.sandbox_slack.recorder import Recorder
from tests.integration.sandbox_slack.sample_cards import card, decided_card, deny_view

from finops_sandbox.slack import ControlRefusedError, SlackControl, SlackDouble

FINOPS = "C0FINOPS01"
ALICE, BOB = "U0ALICE001", "U0BOB00001"
APP_TOKEN = "xapp-sandbox-finops"
Payload = dict[str, Any]


@pytest.fixture
def recorder(slack: SlackDouble, control: SlackControl) -> Iterator[Recorder]:
    recorder = Recorder(slack)
    control.wait_for(lambda: "hello" in recorder.kinds())
    yield recorder
    close_socket_client(recorder.client, control)


@pytest.fixture
def bot(client: WebClient, control: SlackControl) -> Iterator[App]:
    app = App(client=client, process_before_response=False)
    handler = SocketModeHandler(app, APP_TOKEN)
    handler.connect()  # type: ignore[no-untyped-call] # slack_bolt leaves it untyped
    control.wait_for(lambda: control.observed.health()["connections"] == 1)
    yield app
    close_socket_client(handler.client, control)


def post_card(client: WebClient) -> str:
    return str(client.chat_postMessage(channel=FINOPS, text="card", blocks=card())["ts"])


def refusal(control: SlackControl, **click: Any) -> str:
    with pytest.raises(ControlRefusedError) as caught:
        control.people.click(**click)
    return caught.value.code


def test_hello_gives_the_number_of_connections(recorder: Recorder) -> None:
    hello = recorder.messages[0]
    assert (hello["num_connections"], hello["connection_info"]["app_id"]) == (1, "A0FINOPS1")


def test_a_click_arrives_in_slacks_own_shape(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    ts = post_card(client)
    result = control.people.click(user=BOB, action="approve", confirm=True)
    assert result["acked"]
    assert 0 < result["ack_ms"] < 3000
    request = recorder.requests[0]
    payload = request.payload
    assert request.type == "interactive"
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": BOB, "username": "bob", "name": "bob", "team_id": "T0FINOPS1"}
    assert payload["team"] == {"id": "T0FINOPS1", "domain": "finops-sandbox"}
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": FINOPS,
        "is_ephemeral": False,
    }
    assert payload["channel"] == {"id": FINOPS, "name": "finops"}
    assert payload["message"]["ts"] == ts
    assert payload["message"]["bot_id"] == "B0FINOPS1"
    assert payload["response_url"].startswith("http://127.0.0.1:")
    action = payload["actions"][0]
    assert {key: action[key] for key in ("type", "action_id", "block_id", "value", "style")} == {
        "type": "button",
        "action_id": "approve",
        "block_id": "decide:1",
        "value": "v1",
        "style": "primary",
    }
    assert action["action_ts"] > ts
    assert {"api_app_id", "token", "trigger_id", "state", "enterprise", "is_enterprise_install"} <= payload.keys()


def test_a_confirmation_must_be_answered_and_may_be_dismissed(
    client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    post_card(client)
    assert refusal(control, user=BOB, action="approve") == "confirm_required"
    assert refusal(control, user=BOB, action="details", confirm=True) == "no_confirm_dialog"
    assert control.people.click(user=BOB, action="approve", confirm=False)["sent"] is False
    assert recorder.requests == []


def test_a_button_gone_from_the_card_can_only_be_clicked_stale(
    client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    ts = post_card(client)
    client.chat_update(channel=FINOPS, ts=ts, text="done", blocks=decided_card("x", "done"))
    assert refusal(control, user=BOB, action="deny", message=ts) == "button_not_on_card"
    assert control.people.click(user=BOB, action="deny", message=ts, stale=True)["acked"]
    assert recorder.requests[0].payload["actions"][0]["action_id"] == "deny"


def test_only_people_who_see_the_card_can_click_it(
    client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    post_card(client)
    control.workspace.change_channel(channel=FINOPS, remove=["U0CAROL001"])
    assert refusal(control, user="U0CAROL001", action="details") == "user_not_in_channel"
    assert refusal(control, user="U0GONE0001", action="details") == "user_cannot_act"
    assert refusal(control, user="U0FINOPSB", action="details") == "user_cannot_act"
    assert control.people.click(user="U0STRANGE1", action="details")["acked"]
    assert recorder.requests[0].payload["user"]["team_id"] == "T0OTHER01"


def test_a_menu_sends_the_chosen_option(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    post_card(client)
    assert refusal(control, user=BOB, action="more", option="nothing") == "no_such_option"
    control.people.click(user=BOB, action="more", option="why")
    assert recorder.requests[0].payload["actions"][0]["selected_option"]["value"] == "why"


def test_a_click_with_nobody_connected_is_dropped_and_counted(client: WebClient, control: SlackControl) -> None:
    post_card(client)
    result = control.people.click(user=BOB, action="details")
    assert (result["delivered"], result["acked"]) == (False, False)
    assert control.observed.envelopes()["undelivered"] == 1


def test_a_missing_acknowledgement_is_counted(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    post_card(client)
    recorder.answer = False
    result = control.people.click(user=BOB, action="details")
    assert (result["delivered"], result["acked"]) == (True, False)
    assert control.observed.envelopes()["unacked"] == 1


def test_an_envelope_can_come_twice_under_one_id(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    post_card(client)
    first = control.people.click(user=BOB, action="details")["envelope_id"]
    again = control.conditions.duplicate(retry_attempt=1)
    assert (again["envelope_id"], again["deliveries"], again["acks"]) == (first, 2, 2)
    assert [request.envelope_id for request in recorder.requests] == [first, first]
    assert recorder.requests[1].retry_attempt == 1


def test_an_event_without_acknowledgement_is_sent_again_later(control: SlackControl, recorder: Recorder) -> None:
    recorder.answer = False
    control.people.open_home(user=ALICE)
    control.wait_for(lambda: len(recorder.requests) == 2)
    recorder.answer = True
    # The second try is still within its three seconds; the third waits for a minute of Slack's time.
    control.wait_for(lambda: control.observed.envelopes()["unacked"] == 2)
    control.conditions.advance_clock(seconds=60)
    control.wait_for(lambda: len(recorder.requests) == 3)
    assert [request.retry_attempt for request in recorder.requests] == [0, 1, 2]
    assert len({request.payload["event_id"] for request in recorder.requests}) == 1


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_a_client_asked_to_reconnect_loses_no_click(
    client: WebClient, control: SlackControl, recorder: Recorder, reason: str
) -> None:
    post_card(client)
    control.conditions.socket(kind="disconnect", reason=reason)
    control.wait_for(lambda: control.observed.envelopes()["connected_total"] == 2)
    control.wait_for(lambda: control.observed.health()["connections"] == 1)
    assert control.people.click(user=BOB, action="details")["acked"]


def test_connections_are_renewed_after_five_hours(control: SlackControl, recorder: Recorder) -> None:
    control.conditions.advance_clock(seconds=18_051)
    control.wait_for(lambda: "disconnect" in recorder.kinds())
    assert next(m["reason"] for m in recorder.messages if m["type"] == "disconnect") == "warning"


@pytest.mark.parametrize("kind", ["drop", "half_open"])
def test_a_dead_connection_is_replaced_by_the_client(control: SlackControl, recorder: Recorder, kind: str) -> None:
    control.conditions.socket(kind=kind)
    control.wait_for(lambda: control.observed.envelopes()["connected_total"] == 2, timeout_seconds=15)


def test_a_line_cut_after_delivery_leaves_the_click_with_the_app(
    client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    post_card(client)
    recorder.answer = False
    control.conditions.socket(kind="drop_after_delivery")
    assert control.people.click(user=BOB, action="details")["acked"] is False
    assert len(recorder.requests) == 1
    control.wait_for(lambda: control.observed.envelopes()["connected_total"] == 2)


def test_garbage_on_the_line_does_not_end_it(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    control.conditions.socket(kind="garbage")
    post_card(client)
    assert control.people.click(user=BOB, action="details")["acked"]
    with pytest.raises(ControlRefusedError):
        control.conditions.socket(kind="explode")


def test_the_eleventh_connection_is_turned_away(slack: SlackDouble, control: SlackControl) -> None:
    recorders = [Recorder(slack) for _ in range(10)]
    control.wait_for(lambda: control.observed.health()["connections"] == 10)
    extra = Recorder(slack)
    try:
        control.wait_for(lambda: extra.messages)
        assert extra.messages[0]["reason"] == "too_many_websockets"
        assert control.observed.health()["connections"] == 10
    finally:
        clients = [recorder.client for recorder in [extra, *recorders]]
        for client in clients:
            stay_closed(client)
        threads = [threading.Thread(target=close_socket_client, args=(client, control)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_a_payload_goes_to_any_one_connection(
    slack: SlackDouble, client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    second = Recorder(slack)
    try:
        control.wait_for(lambda: "hello" in second.kinds())
        post_card(client)
        for _ in range(12):
            assert control.people.click(user=BOB, action="details")["acked"]
        assert recorder.requests
        assert second.requests
        assert len(recorder.requests) + len(second.requests) == 12
    finally:
        stay_closed(recorder.client)
        close_socket_client(second.client, control)


def test_bolt_takes_a_card_from_click_to_update(client: WebClient, control: SlackControl, bot: App) -> None:
    @bot.action("approve")
    def approve(ack: Ack, body: Payload, client: WebClient) -> None:
        ack()
        blocks = decided_card("reports-3", f"Approved by <@{body['user']['id']}>")
        client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="approved", blocks=blocks)

    post_card(client)
    assert control.people.click(user=BOB, action="approve", confirm=True)["acked"]
    control.wait_for(lambda: control.observed.messages()[0]["text"] == "approved")
    assert refusal(control, user=BOB, action="approve", confirm=True) == "button_not_on_card"
    assert control.observed.failures() == []


def test_bolt_takes_a_modal_from_opening_over_errors_to_submission(
    client: WebClient, control: SlackControl, bot: App
) -> None:
    reasons: list[str] = []

    @bot.action("deny")
    def deny(ack: Ack, body: Payload, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=deny_view())

    @bot.view("deny")
    def submitted(ack: Ack, view: Payload) -> None:
        reason = view["state"]["values"]["reason"]["reason"]["value"]
        if len(reason) < 10:
            ack(response_action="errors", errors={"reason": "too short"})
            return
        ack()
        reasons.append(reason)

    post_card(client)
    control.people.click(user=BOB, action="deny")
    control.wait_for(lambda: control.observed.views(user=BOB))
    missing = control.people.submit_view(user=BOB)
    assert (missing["sent"], sorted(missing["errors"])) == (False, ["kind", "reason"])
    values = {"kind": {"kind": "soon"}, "reason": {"reason": "short"}}
    assert control.people.submit_view(user=BOB, values=values)["errors"] == {"reason": "too short"}
    values["reason"]["reason"] = "needed for the release"
    done = control.people.submit_view(user=BOB, values=values)
    assert (done["errors"], done["acked"]) == ({}, True)
    assert control.observed.views(user=BOB) == []
    assert reasons == ["needed for the release"]


def test_a_trigger_lives_three_seconds_and_once(client: WebClient, control: SlackControl, recorder: Recorder) -> None:
    post_card(client)

    def error(trigger: str) -> str:
        try:
            client.views_open(trigger_id=trigger, view=deny_view())
        except SlackApiError as problem:
            return str(problem.response["error"])
        return ""

    trigger = control.people.click(user=BOB, action="deny")["trigger_id"]
    assert [error(trigger), error(trigger)] == ["", "exchanged_trigger_id"]
    late = control.people.click(user=BOB, action="deny")["trigger_id"]
    control.conditions.advance_clock(seconds=3.1)
    assert error(late) == "expired_trigger_id"


def test_modals_stack_three_deep_and_update_by_hash(
    client: WebClient, control: SlackControl, recorder: Recorder
) -> None:
    view = deny_view()
    view["blocks"].append(
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "next", "text": {"type": "plain_text", "text": "Next"}}],
        }
    )
    post_card(client)
    client.views_open(trigger_id=control.people.click(user=BOB, action="deny")["trigger_id"], view=view)
    for _ in range(2):
        client.views_push(trigger_id=control.people.view_action(user=BOB, action="next")["trigger_id"], view=view)
    stack = control.observed.views(user=BOB)
    assert [item["previous_view_id"] for item in stack] == [None, stack[0]["id"], stack[1]["id"]]
    trigger = control.people.view_action(user=BOB, action="next")["trigger_id"]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        client.views_push(trigger_id=trigger, view=view)
    top = stack[-1]
    client.views_update(view_id=top["id"], hash=top["hash"], view=view)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_update(view_id=top["id"], hash=top["hash"], view=view)
    control.people.close_view(user=BOB, everything=True)
    cleared = [request.payload for request in recorder.requests if request.payload["type"] == "view_closed"]
    assert [payload["is_cleared"] for payload in cleared] == [True, True, True]


def test_a_slash_command_is_answered_in_its_acknowledgement(control: SlackControl, bot: App) -> None:
    seen: list[Payload] = []

    @bot.command("/finops")
    def command(ack: Ack, body: Payload) -> None:
        seen.append(body)
        ack("3 pending")

    assert control.people.slash(user=ALICE, text="pending")["acked"]
    assert control.observed.ephemerals(user=ALICE)[0]["text"] == "3 pending"
    assert (seen[0]["command"], seen[0]["text"], seen[0]["channel_name"]) == ("/finops", "pending", "finops")
    with pytest.raises(ControlRefusedError, match="unknown_command"):
        control.people.slash(user=ALICE, command="/other")


def test_events_reach_the_app_when_it_subscribed(control: SlackControl, bot: App) -> None:
    opened: list[str] = []

    @bot.event("app_home_opened")
    def home(event: Payload) -> None:
        opened.append(event["user"])

    assert control.people.open_home(user=ALICE)["acked"]
    control.wait_for(lambda: opened == [ALICE])
    assert control.people.event(event={"type": "message"})["sent"] is False


def test_an_impossible_answer_to_a_submission_is_a_failure(client: WebClient, control: SlackControl, bot: App) -> None:
    @bot.action("deny")
    def deny(ack: Ack, body: Payload, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=deny_view())

    @bot.view("deny")
    def submitted(ack: Ack) -> None:
        ack(response_action="errors", errors={"nowhere": "x"})

    post_card(client)
    control.people.click(user=BOB, action="deny")
    control.wait_for(lambda: control.observed.views(user=BOB))
    values = {"kind": {"kind": "soon"}, "reason": {"reason": "long enough"}}
    assert "" in control.people.submit_view(user=BOB, values=values)["errors"]
    assert [failure["what"] for failure in control.observed.failures()] == ["view_response"]
    started = time.monotonic()
    assert control.observed.views(user=BOB)
    assert time.monotonic() - started < 1
