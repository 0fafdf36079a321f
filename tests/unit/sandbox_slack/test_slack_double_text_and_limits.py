"""Escaping, mrkdwn, Block Kit limits, rate buckets, faults, clock and seed of the Slack double."""

import asyncio
import random
from typing import Any

import pytest

from finops_sandbox.slack import blocks
from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.faults import Fault, FaultBook
from finops_sandbox.slack.limits import RateLimiter
from finops_sandbox.slack.text import escape, unescape

Block = dict[str, Any]


class Time:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**more: Any) -> Block:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def select(count: int) -> Block:
    options = [{"text": plain(str(number)), "value": str(number)} for number in range(count)]
    return {"type": "static_select", "action_id": "s", "placeholder": plain("Pick"), "options": options}


def overflow(count: int) -> Block:
    return {**select(count), "type": "overflow"}


def confirm(**more: Any) -> Block:
    return {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n"), **more}


def field_input(**more: Any) -> Block:
    return {
        "type": "input",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "t"},
        **more,
    }


def modal(*content: Block, **more: Any) -> Block:
    return {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": list(content), **more}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("already &amp; &lt;", "already &amp; &lt;"),
        ("<@U0ALICE001> <!channel> <https://x.example/?a=1&b=2|x & y>", None),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_text_is_stored_with_entities_except_inside_control_sequences(given: str, kept: str | None) -> None:
    expected = kept or "<@U0ALICE001> <!channel> <https://x.example/?a=1&amp;b=2|x &amp; y>"
    assert escape(given) == expected


def test_plain_text_has_no_control_sequences() -> None:
    assert escape("<!channel>", mrkdwn=False) == "&lt;!channel&gt;"
    assert unescape(escape("<&>", mrkdwn=False)) == "<&>"


@pytest.mark.parametrize(
    ("good", "bad", "pointer", "message"),
    [
        (section("x" * 3000), section("x" * 3001), "/blocks/0/text/text", "must be less than 3001 characters"),
        (
            {"type": "section", "fields": [plain("x" * 2000)] * 10},
            {"type": "section", "fields": [plain("x")] * 11},
            "/blocks/0/fields",
            "no more than 10 items allowed",
        ),
        (
            {"type": "section", "fields": [plain("x" * 2000)]},
            {"type": "section", "fields": [plain("x" * 2001)]},
            "/blocks/0/fields/0/text",
            "must be less than 2001 characters",
        ),
        (
            {"type": "header", "text": plain("x" * 150)},
            {"type": "header", "text": plain("x" * 151)},
            "/blocks/0/text/text",
            "must be less than 151 characters",
        ),
        (
            {"type": "header", "text": plain("x")},
            {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
            "/blocks/0/text/type",
            "must be one of plain_text",
        ),
        (
            {"type": "context", "elements": [plain("x")] * 10},
            {"type": "context", "elements": [plain("x")] * 11},
            "/blocks/0/elements",
            "no more than 10 items allowed",
        ),
        (
            actions(*(button(action_id=str(n)) for n in range(25))),
            actions(*(button(action_id=str(n)) for n in range(26))),
            "/blocks/0/elements",
            "no more than 25 items allowed",
        ),
        (
            actions(button(text=plain("x" * 75))),
            actions(button(text=plain("x" * 76))),
            "/blocks/0/elements/0/text/text",
            "must be less than 76 characters",
        ),
        (
            actions(button(value="x" * 2000)),
            actions(button(value="x" * 2001)),
            "/blocks/0/elements/0/value",
            "must be less than 2001 characters",
        ),
        (
            actions(button(action_id="x" * 255)),
            actions(button(action_id="x" * 256)),
            "/blocks/0/elements/0/action_id",
            "must be less than 256 characters",
        ),
        (
            actions(button(confirm=confirm(title=plain("x" * 100)))),
            actions(button(confirm=confirm(title=plain("x" * 101)))),
            "/blocks/0/elements/0/confirm/title/text",
            "must be less than 101 characters",
        ),
        (
            actions(button(confirm=confirm(text=plain("x" * 300)))),
            actions(button(confirm=confirm(text=plain("x" * 301)))),
            "/blocks/0/elements/0/confirm/text/text",
            "must be less than 301 characters",
        ),
        (
            actions(button(confirm=confirm(deny=plain("x" * 30)))),
            actions(button(confirm=confirm(deny=plain("x" * 31)))),
            "/blocks/0/elements/0/confirm/deny/text",
            "must be less than 31 characters",
        ),
        (
            actions(select(100)),
            actions(select(101)),
            "/blocks/0/elements/0/options",
            "no more than 100 items allowed",
        ),
        (actions(overflow(5)), actions(overflow(6)), "/blocks/0/elements/0/options", "no more than 5 items allowed"),
        (
            {**section("x"), "block_id": "x" * 255},
            {**section("x"), "block_id": "x" * 256},
            "/blocks/0/block_id",
            "must be less than 256 characters",
        ),
        (
            actions(button(style="danger")),
            actions(button(style="red")),
            "/blocks/0/elements/0/style",
            "must be primary or danger",
        ),
        (section("x"), {"type": "data_table"}, "/blocks/0/type", "unsupported type: data_table"),
        (section("x"), section(""), "/blocks/0/text/text", "must be more than 0 characters"),
        (
            actions(button()),
            actions({"type": "plain_text_input", "action_id": "t"}),
            "/blocks/0/elements/0/type",
            "unsupported type in actions: plain_text_input",
        ),
        (
            {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
            {"type": "image", "image_url": "https://x.example/a.png"},
            "/blocks/0",
            "missing required field: alt_text",
        ),
    ],
)
def test_a_block_passes_at_the_limit_and_is_refused_above_it(
    good: Block, bad: Block, pointer: str, message: str
) -> None:
    assert blocks.check_message([good]) == []
    assert f"[ERROR] {message} [json-pointer:{pointer}]" in blocks.check_message([bad])


def test_ids_must_be_unique_and_blocks_at_most_fifty() -> None:
    assert blocks.check_message([section("x")] * 50) == []
    assert blocks.check_message([section("x")] * 51) == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    twice = {**section("x"), "block_id": "same"}
    assert "block_id must be unique: same" in blocks.check_message([twice, twice])[0]
    assert "action_id must be unique" in blocks.check_message([actions(button(), button())])[0]


def test_what_may_be_posted_can_be_too_long_for_an_update_because_entities_count() -> None:
    text = section("&" * 3000)
    assert blocks.check_message([text]) == []
    assert "3001 characters" in blocks.check_message([text], update=True)[0]


def test_the_whole_message_is_counted_as_stored() -> None:
    assert blocks.message_characters([section("&" * 100), section("abc")]) == 503


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (modal(section("x"), title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(section("x"), close=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/close/text]"),
        (modal(field_input(), submit=None), "missing required field: submit"),
        (modal(section("x"), private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(*[section("x")] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(field_input(label=plain("x" * 2001))), "/view/blocks/0/label/text"),
        ({"type": "workflow"}, "must be modal or home"),
        (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown"),
    ],
)
def test_a_view_above_a_limit_is_refused(view: Block, message: str) -> None:
    assert blocks.check_view(modal(field_input(), section("x"))) == []
    assert any(message in problem for problem in blocks.check_view(view))


def test_stored_blocks_get_the_ids_slack_gives() -> None:
    given = [actions({"type": "button", "text": plain("a < b")})]
    kept = blocks.stored(given, random.Random(1))
    element = kept[0]["elements"][0]
    assert element["text"] == {"type": "plain_text", "text": "a &lt; b", "emoji": True}
    assert len(element["action_id"]) == len(kept[0]["block_id"]) == 5
    assert "block_id" not in given[0]


def test_posting_faster_than_one_a_second_is_refused_with_the_wait() -> None:
    time = Time()
    limiter = RateLimiter(Clock(time))
    answers = [limiter.check("chat.postMessage", "special", "C1") for _ in range(4)]
    assert answers == [0, 0, 0, 1]
    assert limiter.check("chat.postMessage", "special", "C2") == 0
    assert limiter.check("chat.postMessage", "special", "C1") == 1
    time.now += 1.0
    assert limiter.check("chat.postMessage", "special", "C1") == 0
    assert limiter.rates()["calls_inside_retry_after"] == {"chat.postMessage:C1": 1}
    assert limiter.rates()["refused"] == {"chat.postMessage": 2}


def test_strict_mode_has_no_burst_and_off_has_no_limit() -> None:
    limiter = RateLimiter(Clock(Time()))
    limiter.mode = "strict"
    assert [limiter.check("chat.postMessage", "special", "C1") for _ in range(2)] == [0, 1]
    limiter.mode = "off"
    assert [limiter.check("chat.postMessage", "special", "C1") for _ in range(9)] == [0] * 9


def test_a_tier_allows_its_calls_a_minute() -> None:
    time = Time()
    limiter = RateLimiter(Clock(time))
    assert [limiter.check("users.list", "tier2") for _ in range(20)] == [0] * 20
    assert limiter.check("users.list", "tier2") == 3
    time.now += 3
    assert limiter.check("users.list", "tier2") == 0


def test_the_measured_rate_is_the_most_in_any_window() -> None:
    time = Time()
    limiter = RateLimiter(Clock(time))
    for pause in (0.0, 0.4, 0.4, 1.0, 5.0):
        time.now += pause
        limiter.posted("C1")
    assert limiter.rates()["channels"]["C1"] == {"posts": 5, "max_in_1s": 3, "max_in_10s": 5}


def test_a_fault_hits_the_matching_calls_and_is_then_used_up() -> None:
    book = FaultBook()
    book.add(Fault("chat.update", n=2, match={"text": "abc"}, error="edit_window_closed"))
    assert book.take("chat.postMessage", {"text": "abc"}) is None
    assert book.take("chat.update", {"text": "xyz"}) is None
    assert [bool(book.take("chat.update", {"text": "xabcx"})) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("fault", [Fault("x"), Fault("x", error="a", status=500), Fault("x", drop=True, n=0)])
def test_a_fault_must_say_exactly_one_thing(fault: Fault) -> None:
    with pytest.raises(ValueError, match=r"exactly one|at least 1"):
        FaultBook().add(fault)


def test_a_sleeper_wakes_when_the_clock_is_advanced() -> None:
    async def story() -> float:
        clock = Clock()
        sleeper = asyncio.create_task(clock.sleep(3600))
        await asyncio.sleep(0)
        clock.advance(1800)
        await asyncio.sleep(0.01)
        assert not sleeper.done()
        clock.advance(1801)
        await asyncio.wait_for(sleeper, 1)
        return clock.offset_seconds

    assert asyncio.run(story()) == 3601


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)
