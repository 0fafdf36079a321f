"""Commands that somebody sends to the store who has taken over one of its users; each is drawn as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import redis
from hypothesis import strategies as st
from tests.integration.attacks.attacked import FORMER, GROUP, MEMBER, Attacked

from finops.domain.audit import GENESIS_HASH

_KEYS: Final = (
    *("ledger", "ledger:head", "ledger:packed", "ledger:ops", "ledger:req:{uid}", "ledger:req:other"),
    *("schema", "restoring", "restored", "realized", "realized:acts", "policies", "policy:{namespace}:p:head"),
    *("caps:policy:{namespace}:p", "caps:resource:{resource}", "limit:111111111111:us-east-1:ec2"),
    *(
        "slack:group:" + GROUP,
        "slack:groups:wanted",
        "slack:groups:asked",
        "slack:status",
        "slack:bots",
        "slack:frozen",
    ),
    *("slack:wanted", "slack:routes", "slack:due", "slack:claims", "slack:pace", "slack:lease", "slack:clicks"),
    *("slack:message:{uid}", "slack:lines:{uid}", "slack:thread:{uid}", "slack:seen:1", "slack:answering:1:vote"),
)
"""Keys that the product uses, after its prefix."""
_FIELDS: Final = (
    *("members", "readAt", "signature", "error", "sequence", "hash", "fence", "record", "checkpoint"),
    *("{uid}", "voted:{uid}:1", "decided:{uid}", "created:{uid}", "channel", "ts", "team", GROUP),
)
_MEMBERS: Final = json.dumps(sorted((MEMBER, FORMER)))
_VALUES: Final = (*("0", "1", "999999", "", "x", "{uid}", GENESIS_HASH), _MEMBERS, "{now}", "2099-01-01T00:00:00+00:00")
_SCRIPTS: Final = (
    "return redis.call('XADD', KEYS[1], '*', 'hash', ARGV[1], 'record', ARGV[2], 'signature', ARGV[1])",
    "return redis.call('XADD', 'finops:ledger', '*', 'record', ARGV[2])",
    "return redis.call('DEL', KEYS[1])",
    "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])",
    "redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], ARGV[1])",
    "return redis.call('SET', 'finops:ledger:head', ARGV[1])",
)
KINDS: Final = ("voted", "decided", "outcome", "intent", "proposed", "verified", "acts resumed")
_RESULTS: Final = ("counted", "Approved", "started", "ok", "Succeeded")

_key = st.sampled_from(_KEYS).map("finops:{}".format)
_field = st.sampled_from(_FIELDS)
_value = st.sampled_from(_VALUES)
_forged = st.tuples(st.sampled_from(KINDS), st.sampled_from(_RESULTS)).map(lambda two: "record {} {}".format(*two))
_anything = st.one_of(_value, _forged)


def _command(name: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.just(name), *arguments)


GROUP_FORGERY: Final = (
    ("HSET", f"finops:slack:group:{GROUP}", "members", _MEMBERS),
    ("HSET", f"finops:slack:group:{GROUP}", "readAt", "{now}"),
)
"""Puts whoever left the group back into it, as far as whoever writes this can."""
COMMANDS: Final = st.one_of(
    _command("SET", _key, _anything),
    _command("DEL", _key),
    _command("EXPIRE", _key, st.sampled_from(["0", "1", "100000"])),
    _command("HSET", _key, _field, _anything),
    _command("HDEL", _key, _field),
    _command("SADD", _key, _value),
    _command("ZADD", _key, st.just("1"), _value),
    _command("ZREM", _key, _value),
    _command("RPUSH", _key, _value),
    _command("RENAME", _key, _key),
    _command("COPY", _key, _key, st.just("REPLACE")),
    _command(
        "XADD", _key, st.sampled_from(["*", "1-0", "9-0"]), st.just("record"), _forged, st.just("signature"), _value
    ),
    _command("XTRIM", _key, st.just("MAXLEN"), st.just("0")),
    _command("XDEL", _key, st.sampled_from(["1-0", "2-0", "3-0"])),
    _command("EVAL", st.sampled_from(_SCRIPTS), st.just("1"), _key, _anything, _anything),
    st.sampled_from(GROUP_FORGERY),
    st.sampled_from(
        [
            *(
                ("FLUSHALL",),
                ("FLUSHDB",),
                ("MULTI",),
                ("EXEC",),
                ("DISCARD",),
                ("SCRIPT", "FLUSH"),
                ("FUNCTION", "LIST"),
            ),
            *(
                ("CONFIG", "SET", "appendonly", "no"),
                ("ACL", "SETUSER", "default", "on", "nopass"),
                ("DEBUG", "SLEEP", "0"),
            ),
        ]
    ),
)
"""One command, with `{uid}`, `{namespace}`, `{resource}` and `{now}` still to be filled in."""


def send(attacked: Attacked, user: Any, command: tuple[str, ...]) -> None:
    """Send a command as `user`, who may be refused.

    Args:
        user: a redis client of the user whose place is taken.
    """
    proposal, place = attacked.proposal, attacked.place
    words = {"uid": proposal.uid, "namespace": place.namespace, "resource": proposal.resource}
    name, *arguments = command
    filled = [name, *(_filled(attacked, one, words) for one in arguments)]
    with suppress(redis.RedisError):
        user.execute_command(*filled)


def _filled(attacked: Attacked, argument: str, words: Mapping[str, str]) -> str:
    if argument.startswith("record "):
        _, kind, *result = argument.split(" ")
        return _record(attacked, " ".join([kind, *result[:-1]]), result[-1])
    text = argument.replace("{now}", attacked.place.clock.now().isoformat())
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _record(attacked: Attacked, kind: str, result: str) -> str:
    """Return a record of the ledger as somebody without the key can write it."""
    proposal = attacked.proposal
    document = {
        "sequence": 3,
        "previousHash": GENESIS_HASH,
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "fence": 99,
        "operationId": f"{kind}:{proposal.uid}",
        "actor": "k8s.alice",
        "kind": kind,
        "request": f"{attacked.place.namespace}/{proposal.name}/{proposal.uid}",
        "planHash": proposal.plan_hash,
        "step": "",
        "attempt": 0,
        "result": result,
        "detail": {"verdict": "Counted", "choice": "Approve", "person": "alice"},
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
