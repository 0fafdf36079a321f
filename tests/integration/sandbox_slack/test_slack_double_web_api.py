"""The Web API of the double through slack_sdk's own client, unmodified."""

import http.client
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient
from tests.integration.sandbox_slack.sample_cards import card, deny_view

from finops_sandbox.slack import ControlRefusedError, SlackControl, SlackDouble

FINOPS = "C0FINOPS01"
ALICE = "U0ALICE001"


def error_of(call: Callable[[], Any]) -> SlackResponse:
    with pytest.raises(SlackApiError) as caught:
        call()
    response: SlackResponse = caught.value.response
    return response


def post(client: WebClient, text: str = "x", **more: Any) -> str:
    return str(client.chat_postMessage(channel=FINOPS, text=text, **more)["ts"])


def test_the_bot_learns_who_it_is(client: WebClient) -> None:
    found = client.auth_test()
    assert (found["team_id"], found["user_id"], found["bot_id"]) == ("T0FINOPS1", "U0FINOPSB", "B0FINOPS1")
    assert client.bots_info(bot="B0FINOPS1")["bot"]["app_id"] == "A0FINOPS1"
    assert client.team_info()["team"]["domain"] == "finops-sandbox"
    assert client.api_test(foo="bar")["args"]["foo"] == "bar"


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("xoxb-wrong", "invalid_auth"),
        ("xoxb-sandbox-revoked", "token_revoked"),
        ("xapp-sandbox-finops", "not_allowed_token_type"),
        ("", "not_authed"),
    ],
)
def test_a_wrong_token_is_refused_with_slacks_own_word(slack: SlackDouble, token: str, error: str) -> None:
    client = WebClient(token=token, base_url=slack.api_url)
    assert error_of(client.auth_test)["error"] == error


def test_a_missing_scope_names_what_is_needed_and_what_is_there(slack: SlackDouble) -> None:
    client = WebClient(token="xoxb-sandbox-readonly", base_url=slack.api_url)
    found = error_of(lambda: client.chat_postMessage(channel=FINOPS, text="x"))
    assert (found["error"], found["needed"]) == ("missing_scope", "chat:write")
    assert found["provided"] == "users:read,channels:read"


def test_a_token_can_be_revoked_in_the_middle(client: WebClient, control: SlackControl) -> None:
    control.workspace.revoke_token(token="xoxb-sandbox-finops")
    assert error_of(client.auth_test)["error"] == "token_revoked"
    control.workspace.revoke_token(token="xoxb-sandbox-finops", revoked=False)
    assert client.auth_test()["ok"]


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE1", "channel_not_found"),
        ("G0PRIVATE1", "channel_not_found"),
        ("C0RANDOM01", "not_in_channel"),
        ("C0ARCHIV01", "is_archived"),
    ],
)
def test_a_channel_that_cannot_take_a_message_says_why(client: WebClient, channel: str, error: str) -> None:
    assert error_of(lambda: client.chat_postMessage(channel=channel, text="x"))["error"] == error


def test_an_unknown_method_is_answered_and_recorded_as_a_failure(client: WebClient, control: SlackControl) -> None:
    assert error_of(lambda: client.api_call("chat.shout"))["error"] == "unknown_method"
    assert [failure["method"] for failure in control.observed.failures()] == ["chat.shout"]


def test_a_card_is_stored_escaped_with_its_metadata_and_its_earlier_versions(
    client: WebClient, control: SlackControl
) -> None:
    metadata = {"event_type": "finops_request", "event_payload": {"id": "r1"}}
    ts = post(client, "a & b", blocks=card("a<b"), metadata=metadata)
    assert "a&lt;b" in control.observed.messages()[0]["blocks"][0]["text"]["text"]
    assert "metadata" not in client.conversations_history(channel=FINOPS)["messages"][0]
    shown = client.conversations_history(channel=FINOPS, include_all_metadata=True)["messages"][0]
    assert (shown["text"], shown["metadata"]) == ("a &amp; b", metadata)
    client.chat_update(channel=FINOPS, ts=ts, text="second")
    stored = control.observed.messages()[0]
    assert (stored["text"], stored["blocks"], stored["metadata"]) == ("second", [], metadata)
    assert [version["text"] for version in stored["history"]] == ["a &amp; b"]
    client.chat_update(channel=FINOPS, ts=ts, text="third", metadata={})
    assert control.observed.messages()[0]["metadata"] is None


def test_blocks_above_a_limit_come_back_with_pointers(client: WebClient) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    found = error_of(lambda: client.chat_postMessage(channel=FINOPS, text="x", blocks=blocks))
    assert found["error"] == "invalid_blocks"
    assert found["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_a_message_of_more_than_13200_stored_characters_is_too_long(client: WebClient) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "&" * 1000}}] * 3
    assert error_of(lambda: client.chat_postMessage(channel=FINOPS, text="x", blocks=blocks))["error"] == (
        "msg_blocks_too_long"
    )


def test_an_update_knows_the_errors_of_updates(client: WebClient, control: SlackControl) -> None:
    ts = post(client)
    theirs = control.people.say(user=ALICE, text="mine")["ts"]

    def update(at: str, text: str = "y") -> str:
        return str(error_of(lambda: client.chat_update(channel=FINOPS, ts=at, text=text))["error"])

    assert update("1.000001") == "message_not_found"
    assert update(theirs) == "cant_update_message"
    assert update(ts, "x" * 4001) == "msg_too_long"
    control.conditions.fault(method="chat.update", error="edit_window_closed")
    assert update(ts) == "edit_window_closed"
    assert client.chat_update(channel=FINOPS, ts=ts, text="y")["ok"]


def test_a_thread_holds_replies_and_the_channel_does_not_show_them(client: WebClient) -> None:
    ts = post(client, "root")
    post(client, "one", thread_ts=ts)
    post(client, "two", thread_ts=ts)
    history = client.conversations_history(channel=FINOPS)["messages"]
    assert [(message["text"], message["reply_count"]) for message in history] == [("root", 2)]
    first = client.conversations_replies(channel=FINOPS, ts=ts, limit=2)
    assert [message["text"] for message in first["messages"]] == ["root", "one"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.conversations_replies(channel=FINOPS, ts=ts, limit=2, cursor=cursor)
    assert [message["text"] for message in rest["messages"]] == ["two"]
    assert error_of(lambda: post(client, thread_ts="1700000000.000001"))["error"] == "thread_not_found"


def test_listings_come_in_pages(client: WebClient) -> None:
    # slack_sdk gives the same object for every page: it must be read while it is the current one.
    pages = [[user["name"] for user in page["members"]] for page in client.users_list(limit=3)]
    names = [name for page in pages for name in page]
    assert len(pages) == 3
    assert names == ["alice", "bob", "carol", "dave", "guest", "gone", "finops"]
    members = [user for page in client.conversations_members(channel=FINOPS, limit=4) for user in page["members"]]
    assert len(members) == 7
    assert error_of(lambda: client.users_list(cursor="nonsense"))["error"] == "invalid_cursor"


def test_people_carry_the_flags_an_approver_policy_needs(client: WebClient) -> None:
    def user(key: str) -> dict[str, Any]:
        found: dict[str, Any] = client.users_info(user=key)["user"]
        return found

    assert user("U0GUEST001")["is_restricted"]
    assert user("U0GONE0001")["deleted"]
    assert user("U0FINOPSB")["is_bot"]
    assert user("U0STRANGE1")["is_stranger"]
    assert user("U0STRANGE1")["team_id"] == "T0OTHER01"
    assert client.users_lookupByEmail(email="alice@example.com")["user"]["id"] == ALICE
    assert error_of(lambda: client.users_lookupByEmail(email="nobody@example.com"))["error"] == "users_not_found"


def test_a_group_is_read_fresh_and_without_the_deactivated(client: WebClient, control: SlackControl) -> None:
    def members() -> list[str]:
        found: list[str] = client.usergroups_users_list(usergroup="S0SRE00001")["users"]
        return found

    assert members() == [ALICE, "U0BOB00001", "U0CAROL001"]
    control.workspace.change_group(group="S0SRE00001", add=["U0DAVE0001"], remove=[ALICE])
    control.workspace.deactivate_user(user="U0CAROL001")
    assert members() == ["U0BOB00001", "U0DAVE0001"]
    assert client.usergroups_list(include_count=True)["usergroups"][0]["user_count"] == 2
    assert error_of(lambda: client.usergroups_users_list(usergroup="S0NONE"))["error"] == "no_such_subteam"


def test_channels_are_listed_as_the_bot_may_see_them(client: WebClient) -> None:
    names = [c["name"] for c in client.conversations_list(types="public_channel,private_channel")["channels"]]
    assert names == ["finops", "cost-alerts", "random", "old-costs"]
    info = client.conversations_info(channel=FINOPS)["channel"]
    assert (info["is_member"], info["is_archived"], info["is_ext_shared"]) == (True, False, True)
    client.conversations_join(channel="C0RANDOM01")
    assert client.chat_postMessage(channel="C0RANDOM01", text="x")["ok"]


def test_a_direct_message_opens_once(client: WebClient) -> None:
    first = client.conversations_open(users=ALICE)
    again = client.conversations_open(users=[ALICE])
    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["already_open"]
    assert client.chat_postMessage(channel=ALICE, text="hello")["channel"] == first["channel"]["id"]
    assert error_of(lambda: client.conversations_open(users="U0GONE0001"))["error"] == "user_disabled"


def test_an_ephemeral_message_is_seen_by_one_and_found_by_no_method(client: WebClient, control: SlackControl) -> None:
    ts = client.chat_postEphemeral(channel=FINOPS, user=ALICE, text="psst")["message_ts"]
    assert [message["text"] for message in control.observed.ephemerals(user=ALICE)] == ["psst"]
    assert control.observed.ephemerals(user="U0BOB00001") == []
    assert client.conversations_history(channel=FINOPS)["messages"] == []
    assert error_of(lambda: client.chat_update(channel=FINOPS, ts=ts, text="y"))["error"] == "message_not_found"


def test_small_methods_work(client: WebClient, control: SlackControl) -> None:
    ts = post(client)
    client.reactions_add(channel=FINOPS, timestamp=ts, name="eyes")
    assert error_of(lambda: client.reactions_add(channel=FINOPS, timestamp=ts, name="eyes"))["error"] == (
        "already_reacted"
    )
    link = client.chat_getPermalink(channel=FINOPS, message_ts=ts)["permalink"]
    assert link.endswith(f"/archives/{FINOPS}/p{ts.replace('.', '')}")
    client.chat_delete(channel=FINOPS, ts=ts)
    assert control.observed.messages() == []


def test_posting_too_fast_gives_a_true_429_with_retry_after(client: WebClient, control: SlackControl) -> None:
    control.conditions.limits(mode="strict")
    post(client)
    found = error_of(lambda: post(client))
    assert (found.status_code, found["error"], found.headers["Retry-After"]) == (429, "ratelimited", "1")
    assert len(control.observed.messages()) == 1
    control.conditions.advance_clock(seconds=1)
    post(client)
    rates = control.observed.rates()
    assert rates["channels"][FINOPS]["max_in_1s"] == 1
    assert rates["refused"] == {"chat.postMessage": 1}


def test_a_fault_before_the_work_leaves_nothing_and_one_after_leaves_the_message(
    client: WebClient, control: SlackControl
) -> None:
    control.conditions.fault(method="chat.postMessage", status=503)
    assert error_of(lambda: post(client)).status_code == 503
    assert control.observed.messages() == []
    control.conditions.fault(method="chat.postMessage", status=500, after_commit=True)
    assert error_of(lambda: post(client)).status_code == 500
    assert len(control.observed.messages()) == 1
    control.conditions.fault(method="*", retry_after=30)
    assert error_of(client.auth_test).headers["Retry-After"] == "30"


def test_a_connection_can_be_cut_or_left_hanging(client: WebClient, control: SlackControl) -> None:
    control.conditions.fault(method="chat.postMessage", drop=True, after_commit=True)
    with pytest.raises((http.client.HTTPException, OSError)):
        post(client)
    impatient = WebClient(token=client.token, base_url=client.base_url, timeout=1, retry_handlers=[])
    control.conditions.fault(method="chat.postMessage", hang=1.5)
    with pytest.raises(OSError, match="timed out"):
        post(impatient)
    assert len(control.observed.messages()) == 1


def test_every_call_is_recorded(client: WebClient, control: SlackControl) -> None:
    post(client, "look")
    record = control.observed.calls(method="chat.postMessage")[0]
    assert (record["args"]["text"], record["http_status"], record["response"]["ok"]) == ("look", 200, True)


def test_a_home_is_published_and_guarded_by_its_hash(client: WebClient, control: SlackControl) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    old = client.views_publish(user_id=ALICE, view=home)["view"]["hash"]
    client.views_publish(user_id=ALICE, view=home, hash=old)
    assert error_of(lambda: client.views_publish(user_id=ALICE, view=home, hash=old))["error"] == "hash_conflict"
    assert control.observed.home(user=ALICE) is not None


def test_a_view_needs_a_fresh_trigger(client: WebClient) -> None:
    assert error_of(lambda: client.views_open(trigger_id="1.2.3", view=deny_view()))["error"] == "invalid_trigger_id"
    big = deny_view() | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert error_of(lambda: client.views_open(trigger_id="1.2.3", view=big))["error"] == "invalid_arguments"


def test_a_response_url_works_five_times_in_thirty_minutes(client: WebClient, control: SlackControl) -> None:
    ts = post(client, "card", blocks=card())
    url = control.people.click(user=ALICE, action="details")["response_url"]
    hook = WebhookClient(url)
    assert hook.send(text="only you").status_code == 200
    assert control.observed.ephemerals(user=ALICE)[0]["text"] == "only you"
    assert hook.send(text="all", response_type="in_channel").status_code == 200
    assert hook.send(text="new", replace_original=True).status_code == 200
    assert [message["text"] for message in control.observed.messages()] == ["new", "all"]
    assert hook.send(text="4").status_code == 200
    assert hook.send(delete_original=True).status_code == 200
    assert [message["ts"] for message in control.observed.messages()] != [ts]
    assert "used_url" in hook.send(text="6").body
    post(client, "card", blocks=card())
    late = WebhookClient(control.people.click(user=ALICE, action="details")["response_url"])
    control.conditions.advance_clock(seconds=1801)
    assert "expired_url" in late.send(text="late").body


def test_reset_goes_back_to_the_seed(client: WebClient, control: SlackControl) -> None:
    post(client)
    control.workspace.change_group(group="S0SRE00001", remove=[ALICE])
    control.workspace.change_channel(channel=FINOPS, archived=True, remove=[ALICE])
    control.workspace.reset()
    dump = control.observed.dump()
    assert dump["messages"][FINOPS] == []
    assert ALICE in dump["groups"][0]["members"]
    assert client.conversations_info(channel=FINOPS)["channel"]["is_archived"] is False


def test_a_control_request_that_makes_no_sense_is_refused(control: SlackControl) -> None:
    for name, body in (("fault", {"method": "x"}), ("limits", {"mode": "fast"}), ("click", {"nobody": 1})):
        with pytest.raises(ControlRefusedError) as caught:
            control.endpoint.act(name, **body)
        assert caught.value.status == 400
    with pytest.raises(ControlRefusedError, match="unknown_act"):
        control.endpoint.act("explode")
