"""No sequence of commands to the store leads to a call of AWS that a quorum of eligible people did not approve.

Tried as the bot's user, with the rights of the chart's access list, and as the operator's, who may write every key: a
signature that is missing stops what the access list lets through. The ledger is packed meanwhile but for its end, and
packed runs are attacked like everything else. FINOPS_ATTACKS says how many sequences are tried.
"""

from __future__ import annotations

import hmac
import json
import os
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pytest
import redis
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.chaos.chaos_world import Doubles
from tests.integration.attacks.attacked import VOTERS, Attacked, attacked
from tests.integration.attacks.store_attacks import COMMANDS, EDITS, GROUP_FORGERY, PACKED, RUNS, edited_run, send
from tests.support.valkey import GuardedValkey

from finops.errors import LedgerDiverged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ACTIONS: Final = ("lambda_function_set_memory", "elastic_ip_release")
"""One that changes a setting, and one that destroys."""
EXAMPLES: Final = int(os.environ.get("FINOPS_ATTACKS", "10"))
Step = tuple[str, ...]
VOTES: Final = st.tuples(
    st.just("vote"),
    st.sampled_from(sorted(VOTERS)),
    st.sampled_from(["Approve", "Approve", "Approve", "Deny", "Withdraw"]),
)
STEPS: Final = st.lists(
    st.one_of(COMMANDS.map(lambda one: ("send", *one)), VOTES, st.just(("look",))), min_size=4, max_size=14
)
TRIED: Final = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    database=None,
)


FORGED_MEMBERSHIP: Final[list[Step]] = [
    *(("send", *one) for one in GROUP_FORGERY),
    ("vote", "alice", "Approve"),
    ("vote", "U0FORMER01", "Approve"),
    ("look",),
]


FORGED_RUNS: Final[list[Step]] = [
    ("vote", "alice", "Approve"),
    *[("vote", "carol", "Approve")] * 3,
    *[("look",)] * 3,
    *(("send", "RUN", first, "approved", "record voted counted") for first in RUNS),
    ("look",),
]
"""Makes an approval of bob's of the vote of somebody who has none, once it is packed."""


@pytest.fixture
def bot(world: Doubles) -> Iterator[Any]:
    yield from client(world, "slackbot")


def client(world: Doubles, user: str) -> Iterator[Any]:
    assert isinstance(world.valkey, GuardedValkey)
    with redis.Redis.from_url(world.valkey.url_of(user), decode_responses=True) as made:
        yield made


def violations(world: Doubles, user: Any, action: str, steps: list[Step]) -> list[str]:
    """Do the steps on a new request; return what was called without permission."""
    with attacked(world, action) as now:
        for kind, *arguments in steps:
            if kind == "send":
                send(now, user, tuple(arguments))
            elif kind == "vote":
                now.vote(*arguments)
            else:
                now.look()
        now.look()
        return now.violations


@example(action="lambda_function_set_memory", steps=FORGED_RUNS)
@example(action="lambda_function_set_memory", steps=FORGED_MEMBERSHIP)
@TRIED
@given(action=st.sampled_from(ACTIONS), steps=STEPS)
def test_no_commands_of_the_bots_user_lead_to_a_call_without_a_quorum(
    action: str, steps: list[Step], world: Doubles, bot: Any
) -> None:
    assert violations(world, bot, action, steps) == []


@example(action="lambda_function_set_memory", steps=FORGED_RUNS)
@example(action="lambda_function_set_memory", steps=FORGED_MEMBERSHIP)
@TRIED
@given(action=st.sampled_from(ACTIONS), steps=STEPS)
def test_no_commands_of_somebody_who_may_write_every_key_lead_to_a_call_without_a_quorum(
    action: str, steps: list[Step], world: Doubles
) -> None:
    for owner in client(world, "operator"):
        assert violations(world, owner, action, steps) == []


@pytest.mark.parametrize("user", ["slackbot", "operator"])
def test_each_property_fails_when_lists_of_members_are_believed_without_their_signature(
    user: str, world: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: True)
    for taken in client(world, user):
        (found,) = violations(world, taken, ACTIONS[0], FORGED_MEMBERSHIP)
    assert found == "lambda:UpdateFunctionConfiguration with the approvals of ['alice']"


def packed_runs(now: Attacked) -> dict[str, bytes]:
    """Return the runs of a request of which alice has approved, and somebody who is no approver several times."""
    for person in ("alice", "carol", "carol", "carol"):
        now.vote(person)
    for _ in range(4):
        now.look()
    runs = {first: content for first in RUNS if (content := now.run(first)) is not None}
    assert len(runs) >= 3, "too little is packed for these tests to say anything"
    kinds = [claims["kind"] for run in runs.values() for claims, _ in json.loads(zlib.decompress(run))["records"]]
    assert kinds.count("voted") >= 2
    return runs


@pytest.mark.parametrize("how", [one for one in EDITS if one not in {"another run", "gone"}])
def test_a_packed_run_that_the_stores_owner_edited_is_found_by_whoever_decides(how: str, world: Doubles) -> None:
    for owner in client(world, "operator"):
        with attacked(world, ACTIONS[0]) as now:
            for first in packed_runs(now):
                send(now, owner, ("RUN", first, how, "record voted counted"))
            with pytest.raises(LedgerDiverged):
                now.operator.ledger.of_request(now.proposal.uid)
            now.vote("bob")
            now.look()
            assert now.violations == []
            assert now.called == 0, "with a quorum of its own: nothing is decided from a ledger that was changed"


def test_the_bots_user_can_neither_change_nor_remove_a_packed_run(world: Doubles, bot: Any) -> None:
    with attacked(world, ACTIONS[0]) as now:
        before = packed_runs(now)
        for command in (
            ("HDEL", PACKED, "1"),
            ("DEL", PACKED),
            ("EXPIRE", PACKED, "0"),
            ("RENAME", PACKED, "finops:x"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                bot.execute_command(*command)
        for first, content in before.items():
            for how in EDITS:
                with pytest.raises(redis.exceptions.NoPermissionError):
                    bot.execute_command("HSET", PACKED, first, edited_run(now, content, how, "record voted counted"))
        assert {first: now.run(first) for first in before} == before
        now.vote("bob")
        now.look()
        assert now.violations == []
        assert now.called > 0, "what nobody changed is acted upon as ever"
