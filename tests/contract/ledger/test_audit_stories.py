"""`finops audit list` shows each request as a story that people read, a page at a time, and records for programs."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS
from tests.support.ledger_lines import HONEST, REQUEST, START, entry

from finops.domain.audit import Entry, RecordKind
from finops.ledger import stories
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.stories import StoryPage, latest_stories
from finops.store.connection import Store, open_ledger_connection
from finops.store.ledger import LedgerStream, unchecked
from finops_operator.cli.main import run

OF_THE_REQUEST = [one for one in HONEST if one.request == REQUEST]
"""Its story. The intention to propose it has no uid yet."""


@dataclass
class Ledger:
    """A ledger, the stream that the program reads, and the program."""

    ledger: DurableLedger
    stream: LedgerStream
    clock: FakeClock
    url: str
    output: pytest.CaptureFixture[str]

    def write(self, *entries: Entry) -> None:
        for one in entries:
            self.ledger.append(one)
            self.clock.sleep(60)

    def denied(self, name: str) -> None:
        """A request that one person ended."""
        request, detail = f"team-a/{name}/{name}-uid", {"choice": "Deny", "reason": f"{name} is needed"}
        self.write(
            Entry(f"{name}:created", "operator", RecordKind.PROPOSED, request=request, result="created"),
            Entry(f"{name}:vote", "slack.U1", RecordKind.VOTED, request=request, result="counted", detail=dict(detail)),
            Entry(f"{name}:decided", "operator", RecordKind.DECIDED, request=request, result="Denied"),
        )

    def list(self, *arguments: str) -> tuple[int, str, str]:
        code = run(["audit", "list", "--redis", self.url, *arguments])
        said = self.output.readouterr()
        return code, said.out, said.err


@pytest.fixture
def store(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    prefix = f"stories-{uuid.uuid4().hex}:"
    monkeypatch.setenv("FINOPS_REDIS_PREFIX", prefix)
    opened = open_ledger_connection(valkey_url, prefix=prefix)
    yield opened
    opened.client.close()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def made(
    utc: None,
    store: Store,
    valkey_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Ledger:
    monkeypatch.setenv("COLUMNS", "100")
    clock = FakeClock(START - timedelta(hours=1))
    ledger = open_ledger(store, tmp_path / "ledger.jsonl", keys=KEYS, clock=clock, fence=lambda: 1)
    ledger.start()
    return Ledger(ledger, LedgerStream(store, unchecked), clock, valkey_url, capsys)


def names(page: StoryPage) -> list[str]:
    return [story.name for story in page.stories]


def test_a_request_reads_from_the_proposal_to_what_it_saved(made: Ledger) -> None:
    saved = entry("verified", RecordKind.VERIFIED, result="Succeeded", detail={"monthlySavings": "140.16"})
    made.write(*HONEST[:-1], saved)
    code, out, err = made.list()
    assert (code, err) == (0, "")
    text = out.splitlines()
    assert text[0] == "savings-1"
    assert " ".join(map(str.strip, text[1:3])) == (
        "Succeeded · saves 140.16 USD a month · votes of slack.U1, k8s.alice · 1 changing call · 7 min 0 s from the"
        " first to the last record · times in UTC"
    )
    said = [line.strip() for line in text[3:]]
    times = [line.split()[1] for line in said if line.startswith("2026-")]
    assert times == sorted(times)
    assert len(times) == len(OF_THE_REQUEST)
    for sentence in ("slack.U1 approved", "k8s.alice approved", "Approved", "The act started", "Calls StopInstances"):
        assert any(line.endswith(sentence) for line in said), sentence
    assert any(line.endswith("AWS accepted: stop") for line in said)
    assert said[-2].endswith("AWS shows the wanted state")
    assert said[-1] == "Saves 140.16 USD a month from here on."


def test_the_latest_story_comes_first_and_the_last_line_leads_to_older_ones(made: Ledger) -> None:
    for number in range(5):
        made.denied(f"stop-{number}")
    shown: list[str] = []
    arguments: list[str] = []
    while True:
        code, out, err = made.list("--limit", "2", *arguments)
        assert code == 0
        shown += [line for line in out.splitlines() if line.startswith("stop-")]
        if "--before" not in err:
            break
        arguments = ["--before", err.split()[-1]]
    assert shown == [f"stop-{number}" for number in (4, 3, 2, 1, 0)]


def test_a_story_that_goes_on_after_another_began_is_on_one_page_only(made: Ledger) -> None:
    made.write(*HONEST[:3])
    made.denied("stop-1")
    made.write(*HONEST[3:])
    first = latest_stories(made.stream, 1)
    second = latest_stories(made.stream, 1, before=first.before)
    assert (names(first), names(second)) == (["savings-1"], ["stop-1"])
    assert len(first.stories[0].events) == len(OF_THE_REQUEST)
    assert names(latest_stories(made.stream, 5, before=second.before)) == []


def test_one_request_is_found_by_name_or_uid_and_shown_whole(made: Ledger) -> None:
    made.denied("stop-1")
    made.denied("stop-2")
    for name in ("stop-1", "stop-1-uid"):
        code, out, _ = made.list("--request", name)
        assert code == 0
        assert "stop-1 is needed" in out
        assert "stop-2" not in out
    assert "no story of nobody" in made.list("--request", "nobody")[2]


def test_a_long_story_is_cut_in_the_middle_and_says_what_shows_it_whole(made: Ledger) -> None:
    request = "team-a/long/long-uid"
    made.write(
        *(
            Entry(f"p:{n}", "operator", RecordKind.POSTED, request=request, detail={"channel": f"C{n}"})
            for n in range(60)
        )
    )
    cut = made.list()[1]
    assert "… 20 records in between: finops audit list --request long" in cut
    whole = made.list("--request", "long")[1]
    assert sum("Shown in Slack" in line for line in whole.splitlines()) == 60
    assert sum("Shown in Slack" in line for line in cut.splitlines()) == 40


def test_a_search_for_nothing_ends_and_says_where_it_goes_on(made: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "SEARCHED", 4)
    for number in range(3):
        made.denied(f"stop-{number}")
    page = latest_stories(made.stream, 5, wanted=lambda reference: "stop-0" in reference)
    assert (names(page), page.before) == ([], made.stream.head().sequence - 3)


def test_freezes_stand_apart_from_the_stories(made: Ledger) -> None:
    made.denied("stop-1")
    made.write(Entry("f:1", "k8s.ops", RecordKind.FROZEN, result="on", detail={"reason": "quarter end"}))
    out = made.list()[1]
    apart = out[out.index("Apart from requests") :]
    assert "All acts were stopped (freeze)" in apart
    assert "quarter end" in apart


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_longer_than_the_terminal_and_no_text_of_a_record_writes_to_it(
    made: Ledger, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    made.write(*HONEST)
    hostile = {"choice": "Deny", "reason": "\x1b[2Jgone\nnext " + "words " * 40}
    request = "team-a/hostile/h1"
    made.write(Entry("h", "slack.U1", RecordKind.VOTED, request=request, result="counted", detail=dict(hostile)))
    out = made.list()[1]
    assert max(map(cell_len, out.splitlines())) <= width
    assert "\x1b" not in out
    assert r"\x1b[2Jgone\nnext" in out


def test_programs_get_records_in_order_each_with_its_sentence_and_page_by_sequence(made: Ledger) -> None:
    made.write(*HONEST)
    records = json.loads(made.list("-o", "json")[1])
    assert [one["sequence"] for one in records] == list(range(1, made.stream.head().sequence + 1))
    assert {"kind", "actor", "detail", "hash"} <= set(records[0])
    assert "slack.U1 approved" in {one["sentence"] for one in records}
    part = json.loads(made.list("-o", "json", "--from", "3", "--limit", "2")[1])
    assert [one["sequence"] for one in part] == [3, 4]
    code, _, err = made.list("-o", "json", "--before", "3")
    assert code == 2
    assert "--from" in err


def test_an_empty_ledger_has_no_story(made: Ledger) -> None:
    assert latest_stories(made.stream, 5) == StoryPage((), (), 0)
    assert made.list()[2].startswith("no story of a request")
