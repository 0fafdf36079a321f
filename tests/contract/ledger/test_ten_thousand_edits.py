"""10,000 random edits of an exported ledger, by whoever owns the store or a key of their own: each one is found.

So it is by every signature, and by the checkpoint alone but for the digits of a signature that it makes superfluous.

The auditor has the export, the public key and the latest checkpoint that was kept outside; an attacker may hand in
older checkpoints as well. `pytest --randomly-seed=N` repeats a run: the number stands in its heading and every failure.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final, TypeAlias

import pytest
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, records, vote

from finops.audit_verify import verify
from finops.domain.audit import GENESIS_HASH, Record, RecordKind, request_uid
from finops.domain.canonical import canonical_json, sha256_hex
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import root_of
from finops.ledger.signing import Keyring, new_private_key

EDITS: Final = 10_000
FORGER: Final = Keyring.of(new_private_key())
LEDGER: Final = records((*HONEST, *(vote(f"k8s.user{number}", result="refused") for number in range(6))))
LINES: Final = [line_of(one) for one in LEDGER]
_SIGNATURE: Final = re.compile(rb'"signature":"[0-9a-f]{128}"}\n?\Z')
_HEX: Final = "0123456789abcdef"
Lines: TypeAlias = list[bytes]


def checkpoint(ledger: Sequence[Record]) -> str:
    root = root_of([bytes.fromhex(one.hash) for one in ledger]).hex()
    return Checkpoint(len(ledger), root, ledger[-1].hash, ledger[-1].time, 2).signed_by(KEYS).text


ANCHOR: Final = checkpoint(LEDGER)
OLDER: Final = [checkpoint(LEDGER[:size]) for size in range(1, len(LEDGER))]


def chained(ledger: Sequence[Record], keys: Keyring | None, start: int = 0) -> Lines:
    """Number, chain and sign the records from place `start` on anew, so that all fits but the key.

    Without `keys` they keep the signatures that they had.
    """
    made = list(ledger[:start])
    last = {request_uid(one.entry.request): one.sequence for one in made if one.entry.request}
    for one in ledger[start:]:
        uid = request_uid(one.entry.request)
        fitted = replace(
            one,
            sequence=len(made) + 1,
            previous_hash=made[-1].hash if made else GENESIS_HASH,
            request_previous=last.get(uid, 0),
        )
        made.append(keys.sign(fitted) if keys else fitted)
        last[uid] = len(made)
    return [line_of(one) for one in made]


def other(chance: Random, value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, 2, 1_000))
    if isinstance(value, str):
        place = chance.randrange(len(value) + 1)
        if value and chance.random() < 0.8:
            place = min(place, len(value) - 1)
            letters = [one for one in _HEX if one != value[place]]
            return value[:place] + chance.choice(letters) + value[place + 1 :]
        return f"{value[:place]}{chance.choice(_HEX)}{value[place:]}"
    if isinstance(value, dict) and value:
        name = chance.choice(sorted(value))
        return {**value, name: other(chance, value[name])}
    if isinstance(value, list) and value:
        place = chance.randrange(len(value))
        return [*value[:place], other(chance, value[place]), *value[place + 1 :]]
    return {"added": "by somebody"}


def change(chance: Random) -> Lines:
    """A field of a record, with its hash made to fit or not; the signature stays."""
    place = chance.randrange(len(LINES))
    document = json.loads(LINES[place])
    part = chance.choice(("record", "record", "record", "hash", "signature"))
    if part == "record":
        name = chance.choice(sorted(document["record"]))
        document["record"][name] = other(chance, document["record"][name])
        if chance.random() < 0.5:
            document["hash"] = sha256_hex(document["record"])
    else:
        document[part] = other(chance, document[part])
    return [*LINES[:place], canonical_json(document) + b"\n", *LINES[place + 1 :]]


def change_and_chain(chance: Random) -> Lines:
    """Another actor, choice or result, and all hashes behind it made to fit."""
    place = chance.randrange(len(LEDGER))
    entry = LEDGER[place].entry
    edited = chance.choice(
        (
            replace(entry, actor="k8s.mallory"),
            replace(entry, result=f"{entry.result}x"),
            replace(entry, plan_hash=other(chance, entry.plan_hash)),
            replace(entry, kind=chance.choice([kind for kind in RecordKind if kind is not entry.kind])),
            replace(entry, detail={**entry.detail, "choice": "Deny"}),
        )
    )
    ledger = [*LEDGER[:place], replace(LEDGER[place], entry=edited), *LEDGER[place + 1 :]]
    return chained(ledger, chance.choice((None, FORGER)), place)


def delete(chance: Random) -> Lines:
    """Some records in the middle, and then perhaps everything made to fit."""
    place = chance.randrange(len(LEDGER) - 1)
    end = min(place + chance.randint(1, 3), len(LEDGER) - 1)
    if chance.random() < 0.5:
        return [*LINES[:place], *LINES[end:]]
    return chained([*LEDGER[:place], *LEDGER[end:]], chance.choice((None, FORGER)), place)


def swap(chance: Random) -> Lines:
    first, second = sorted(chance.sample(range(len(LEDGER)), 2))
    ledger = list(LEDGER)
    ledger[first], ledger[second] = ledger[second], ledger[first]
    if chance.random() < 0.5:
        return [line_of(one) for one in ledger]
    return chained(ledger, chance.choice((None, FORGER)), first)


def insert(chance: Random) -> Lines:
    """A copy of a record, or one that was made up, anywhere: also behind the end."""
    place, source = chance.randint(0, len(LEDGER)), chance.choice(LEDGER)
    if chance.random() < 0.3:
        return [*LINES[:place], line_of(source), *LINES[place:]]
    made = replace(source, entry=replace(source.entry, operation_id=f"u1:made:{chance.randrange(10**6)}"))
    ledger = [*LEDGER[:place], made, *LEDGER[place:]]
    keys = chance.choice((None, FORGER))
    return chained(ledger, keys, place) if chance.random() < 0.7 else [line_of(one) for one in ledger]


def sign_again(chance: Random) -> Lines:
    """The same facts under another key: one record, some, or the whole ledger."""
    start = chance.randrange(len(LEDGER))
    if chance.random() < 0.5:
        return chained(LEDGER, FORGER, start)
    return [*LINES[:start], line_of(FORGER.sign(LEDGER[start])), *LINES[start + 1 :]]


def fork(chance: Random) -> Lines:
    """The operator's own key, another course of events: what a store that was restored and written again looks like."""
    place = chance.randrange(len(LEDGER))
    length = chance.randint(1, len(LEDGER) - place + 4)
    course = [
        replace(one, entry=replace(one.entry, operation_id=f"u1:other:{number}", actor=f"k8s.other{number}"))
        for number, one in enumerate(chance.choices(LEDGER[8:], k=length))
    ]
    return chained([*LEDGER[:place], *course], KEYS, place)


def cut(chance: Random) -> Lines:
    return LINES[: chance.randrange(len(LINES))]


def cut_line(chance: Random) -> Lines:
    """The end in the middle of a line, as after a copy that was broken off."""
    place = chance.randrange(len(LINES))
    return [*LINES[:place], LINES[place][: chance.randrange(1, len(LINES[place]) - 1)]]


def bytes_of_file(chance: Random) -> Lines:
    """A byte changed, added or taken away, anywhere in the file."""
    whole = b"".join(LINES)
    place, byte = chance.randrange(len(whole)), bytes([chance.randrange(256)])
    edited = chance.choice(
        (
            whole[:place] + byte + whole[place + 1 :],
            whole[:place] + byte + whole[place:],
            whole[:place] + whole[place + 1 :],
        )
    )
    return [line + b"\n" for line in edited.split(b"\n")][:-1] if edited.endswith(b"\n") else edited.split(b"\n")


def white_space(chance: Random) -> Lines:
    """The same document in other words: spaces, or an empty line."""
    place = chance.randrange(len(LINES))
    document = json.loads(LINES[place])
    if chance.random() < 0.3:
        return [*LINES[:place], b"\n", *LINES[place:]]
    spaced = json.dumps(document, ensure_ascii=False, sort_keys=chance.random() < 0.5).encode() + b"\n"
    return [*LINES[:place], spaced, *LINES[place + 1 :]]


ALL: Final[tuple[Callable[[Random], Lines], ...]] = (
    change, change_and_chain, delete, swap, insert, sign_again, fork, cut, cut_line, bytes_of_file, white_space,
)  # fmt: skip


def is_edited(lines: Lines) -> bool:
    return [line.removesuffix(b"\n") for line in lines] != [line.removesuffix(b"\n") for line in LINES]


def says_the_same(lines: Lines) -> bool:
    """Whether nothing differs but the digits of signatures: every record, their order and number are as they were."""
    if len(lines) != len(LINES):
        return False
    return [_SIGNATURE.sub(b"|", line) for line in lines] == [_SIGNATURE.sub(b"|", line) for line in LINES]


def test_the_ledger_that_is_edited_is_intact_itself() -> None:
    assert verify(LINES, keys=PUBLIC_KEYS, kept=[*OLDER, ANCHOR]).ok
    by_checkpoint = verify(LINES, keys=PUBLIC_KEYS, kept=[*OLDER, ANCHOR], every_signature=False)
    assert (by_checkpoint.ok, by_checkpoint.covered) == (True, len(LINES))


@pytest.mark.timeout(300)
def test_ten_thousand_random_edits_of_an_export_are_all_found(pytestconfig: pytest.Config) -> None:
    seed = int(pytestconfig.getoption("randomly_seed"))
    chance, found = Random(seed), Counter[str]()
    while found.total() < EDITS:
        edit = chance.choice(ALL)
        lines = edit(chance)
        if not is_edited(lines):
            continue
        # With the export an older checkpoint is handed in, which the edited ledger may still hold for.
        kept = [chance.choice(OLDER), ANCHOR]
        report = verify(lines, keys=PUBLIC_KEYS, kept=kept)
        by_checkpoint = verify(lines, keys=PUBLIC_KEYS, kept=kept, every_signature=False)
        where = f"--randomly-seed={seed}, edit {found.total() + 1}: {edit.__name__}"
        assert not report.ok, f"{where} was not found:\n{b''.join(lines).decode(errors='replace')}"
        # The checkpoint vouches for what the records say; the texts of their signatures then prove nothing more.
        assert by_checkpoint.ok is says_the_same(lines), f"{where} was judged otherwise by the checkpoint"
        found[edit.__name__] += 1
    assert min(found[edit.__name__] for edit in ALL) > EDITS / len(ALL) / 2, found
    print(f"{found.total():,} edits of {len(found)} kinds found, --randomly-seed={seed}: {dict(found)}")


@pytest.mark.parametrize("size", range(1, len(LEDGER)))
def test_an_older_checkpoint_that_is_played_back_hides_no_cut_behind_the_latest_one(size: int) -> None:
    """Alone it holds for the ledger that was cut: only the latest one shows what is missing."""
    older = OLDER[size - 1]
    assert verify(LINES[:size], keys=PUBLIC_KEYS, kept=[older]).ok
    assert not verify(LINES[:size], keys=PUBLIC_KEYS, kept=[older, ANCHOR]).ok
