"""Commands that somebody sends to the store who has taken over one of its users; each is drawn as plain data."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import redis
from hypothesis import strategies as st
from tests.integration.attacks.attacked import FORMER, GROUP, MEMBER, Attacked

from finops.domain.audit import GENESIS_HASH, record_from_json

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
    *("packed", "1", "3", "{uid}", "voted:{uid}:1", "decided:{uid}", "created:{uid}", "channel", "ts", "team", GROUP),
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
RUNS: Final = ("1", "3", "5", "7", "9", "11")
"""First records of packed runs."""
EDITS: Final = ("forged", "forged and put right", "approved", "cut", "longer", "another run", "empty", "gone")
"""What may be done to a packed run; `approved` makes a counted approval of bob's of each vote, hashes put right."""
KINDS: Final = ("voted", "decided", "outcome", "intent", "proposed", "verified", "acts resumed")
_RESULTS: Final = ("counted", "Approved", "started", "ok", "Succeeded")

_key = st.sampled_from(_KEYS).map("finops:{}".format)
PACKED: Final = "finops:ledger:packed"
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
    *[_command("RUN", st.sampled_from(RUNS), st.sampled_from(EDITS), _forged)] * 3,
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
    words = {"uid": proposal.uid, "namespace": place.namespace, "resource": proposal.resource.id}
    name, *arguments = command
    if name == "RUN":
        _edit_run(attacked, user, *arguments)
        return
    filled = [name, *(_filled(attacked, one, words) for one in arguments)]
    with suppress(redis.RedisError):
        user.execute_command(*filled)


def _edit_run(attacked: Attacked, user: Any, first: str, how: str, forged: str) -> None:
    """Change a packed run; the attacker is given its content, whatever their rights."""
    content = attacked.run(first)
    if content is None:
        return
    with suppress(redis.RedisError):
        if how == "gone":
            user.execute_command("HDEL", PACKED, first)
        else:
            user.execute_command("HSET", PACKED, first, edited_run(attacked, content, how, forged))


def edited_run(attacked: Attacked, content: bytes, how: str, forged: str) -> bytes:
    """Return a run as somebody without the key can change it; `how` is one of EDITS."""
    match how:
        case "cut":
            return content[:-3]
        case "longer":
            return content + content
        case "another run":
            return attacked.run("3") or b""
        case "empty":
            return zlib.compress(b'{"previous":"","hash":"","records":[]}')
    document = json.loads(zlib.decompress(content))
    for claims, _ in document["records"]:
        if how == "approved" and claims["kind"] == "voted":
            bob = {"source": "kubernetes", "handle": "k8s.bob", "groups": [], "username": "bob"}
            said = {"choice": "Approve", "verdict": "Approve", "person": "k8s.bob", "voter": bob}
            claims |= {"actor": "k8s.bob", "result": "counted", "detail": claims["detail"] | said}
    if how != "approved":
        kind, result = _kind_and_result(forged)
        document["records"][-1][0] |= {"kind": kind, "result": result}
    if how != "forged":
        previous = document["previous"]
        for claims, signature in document["records"]:
            previous = record_from_json({**claims, "previousHash": previous}, signature).hash
        document["hash"] = previous
    return zlib.compress(json.dumps(document, ensure_ascii=False).encode())


def _filled(attacked: Attacked, argument: str, words: Mapping[str, str]) -> str:
    if argument.startswith("record "):
        return _record(attacked, *_kind_and_result(argument))
    text = argument.replace("{now}", attacked.place.clock.now().isoformat())
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _kind_and_result(forged: str) -> tuple[str, str]:
    """Return both words of `record KIND RESULT`; a kind may be of two."""
    _, kind, *result = forged.split(" ")
    return " ".join([kind, *result[:-1]]), result[-1]


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
