"""`finops audit prove` and `verify`: from a store to a stranger who has a file and a key."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_keys import KEYS, PRIVATE_KEY
from tests.support.witness import MemoryWitness

from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.ledger.checkpoint import parse_checkpoint
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import public_key_of
from finops.ports.clock import SystemClock
from finops.store.connection import Store, open_ledger_connection
from finops_operator.cli.main import run


@dataclass
class Ledger:
    """A ledger with an anchor, the public key in a file, and the program."""

    ledger: DurableLedger
    witness: MemoryWitness
    directory: Path
    url: str
    output: pytest.CaptureFixture[str]

    @property
    def file(self) -> str:
        return str(self.directory / "ledger.jsonl")

    def save(self, name: str, text: str) -> str:
        (self.directory / name).write_text(text, encoding="utf-8")
        return str(self.directory / name)

    def vote(self, name: str) -> None:
        self.ledger.append(Entry(f"vote:{name}", "k8s.alice", RecordKind.VOTED, request="a/r/u1", result="refused"))
        self.ledger.keep_anchor()

    def finops(self, *arguments: str) -> tuple[int, str, str]:
        code = run(["audit", *arguments])
        said = self.output.readouterr()
        return code, said.out, said.err

    def prove(self, *arguments: str) -> str:
        code, out, err = self.finops("prove", *arguments, "--redis", self.url)
        assert code == 0, err
        return out

    def check(self, proof: str) -> tuple[int, Any]:
        key = self.save("key.pem", public_key_of(PRIVATE_KEY))
        code, out, _ = self.finops("verify", "--proof", self.save("proof", proof), "--public-key", key, "-o", "json")
        return code, json.loads(out)


@pytest.fixture
def store(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    prefix = f"proofs-{uuid.uuid4().hex}:"
    monkeypatch.setenv("FINOPS_REDIS_PREFIX", prefix)
    opened = open_ledger_connection(valkey_url, prefix=prefix)
    yield opened
    opened.client.close()


@pytest.fixture
def made(store: Store, valkey_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ledger:
    witness = MemoryWitness()
    ledger = open_ledger(
        store, tmp_path / "ledger.jsonl", keys=KEYS, clock=SystemClock(), fence=lambda: 1, witness=witness
    )
    ledger.start()
    found = Ledger(ledger, witness, tmp_path, valkey_url, capsys)
    for number in range(5):
        found.vote(str(number))
    return found


def test_a_request_is_proved_from_the_store_and_checked_with_the_key_alone(made: Ledger) -> None:
    code, report = made.check(made.prove("r"))
    assert (code, report["ok"], report["signaturesChecked"]) == (0, True, True)
    assert report["shows"].startswith("5 records of a/r/u1 stand in the ledger of 6 records")


def test_a_changed_proof_is_refused(made: Ledger) -> None:
    code, report = made.check(made.prove("r").replace("k8s.alice", "k8s.mallo"))
    assert (code, report["ok"], report["shows"]) == (1, False, "")


def test_a_kept_checkpoint_proves_that_nothing_before_it_was_changed(made: Ledger) -> None:
    kept = made.save("kept", made.witness.kept["Lease"])
    made.vote("later")
    code, report = made.check(made.prove("--since", kept))
    assert (code, report["shows"]) == (0, "the ledger of 7 records begins with the ledger of 6 records")


def test_a_file_alone_is_proved_with_a_checkpoint(made: Ledger) -> None:
    code, _, err = made.finops("prove", "r", "--file", made.file)
    assert code == 2
    assert "--checkpoint" in err
    kept = made.save("kept", made.witness.kept["Lease"])
    code, out, _ = made.finops("prove", "r", "--file", made.file, "--checkpoint", kept)
    assert code == 0
    assert made.check(out)[0] == 0


def test_an_intact_ledger_is_said_with_what_was_not_checked(made: Ledger) -> None:
    kept = made.save("kept", made.witness.kept["Lease"])
    key = made.save("key.pem", public_key_of(PRIVATE_KEY))
    unsigned, open_end = (
        "signatures were not checked: no public key was given",
        "whether the end was cut off is not known",
    )
    for options, missing in (
        ((), {unsigned, open_end}),
        (("--public-key", key), {open_end}),
        (("--checkpoint", kept), {unsigned}),
        (("--expected-head", made.ledger.head().hash), {unsigned}),
        (("--public-key", key, "--checkpoint", kept), set[str]()),
    ):
        code, _, err = made.finops("verify", "--file", made.file, *options)
        assert code == 0
        said = err.splitlines()[-1]
        assert said.startswith("the ledger is intact: 6 records, head ")
        assert {one for one in (unsigned, open_end) if one in said} == missing


def test_verifying_with_the_anchor_finds_a_tail_that_was_cut_off(made: Ledger) -> None:
    kept = made.save("kept", made.witness.kept["Lease"])
    assert made.finops("verify", "--file", made.file, "--checkpoint", kept)[0] == 0
    cut = made.save("cut", "".join(Path(made.file).read_text(encoding="utf-8").splitlines(keepends=True)[:4]))
    assert made.finops("verify", "--file", cut)[0] == 0
    code, _, err = made.finops("verify", "--file", cut, "--checkpoint", kept)
    assert code == 1
    assert "it covers 6 records, and there are 4: the end is missing" in err
    signed = parse_checkpoint(made.witness.kept["Lease"])
    noted = f"Ledger checkpoint {signed.size:,} · sha256:{signed.root}"
    assert made.finops("verify", "--file", made.file, "--checkpoint", noted)[0] == 0
    code, _, err = made.finops("verify", "--file", cut, "--checkpoint", noted)
    assert code == 1
    assert "Checkpoint: the checkpoint of 6 records: it covers 6 records, and there are 4" in err


def test_an_earlier_checkpoint_says_up_to_which_record_the_end_is_known(made: Ledger) -> None:
    kept, head = made.save("kept", made.witness.kept["Lease"]), made.ledger.head().hash
    made.vote("later")
    made.vote("last")
    whole = Path(made.file).read_text(encoding="utf-8").splitlines(keepends=True)
    cut = made.save("cut", "".join(whole[:7]))
    for file, records in ((made.file, len(whole)), (cut, 7)):
        for option, given in (("--checkpoint", kept), ("--expected-head", head)):
            code, out, err = made.finops("verify", "--file", file, option, given, "-o", "json")
            assert (code, json.loads(out)["endKnownTo"]) == (0, 6)
            known = f"whether the end was cut off is known only up to record 6 of {records}: no later checkpoint"
            assert known in err.splitlines()[-1]
    code, out, _ = made.finops("verify", "--file", cut, "-o", "json")
    assert (code, json.loads(out)["endKnownTo"]) == (0, 0)


def test_a_decision_that_parts_one_person_is_a_warning_and_the_ledger_is_intact(made: Ledger) -> None:
    for result, request in (("intent", "a/r/"), ("created", "a/r/u2")):
        proposed = Entry(f"{result}:u2", "operator", RecordKind.PROPOSED, request=request, plan_hash="h", result=result)
        made.ledger.append(replace(proposed, detail={"specHash": "5" * 64}))
    for name, handle in (("p1", "slack.U9"), ("p2", "k8s.alice")):
        detail: dict[str, Json] = {"choice": "Approve", "person": "k8s.alice"}
        entry = Entry(f"vote:{name}", handle, RecordKind.VOTED, request="a/r/u2", result="counted", detail=detail)
        made.ledger.append(replace(entry, plan_hash="h"))
    people: dict[str, Json] = {"slack.U9": "k8s.carol", "k8s.alice": "k8s.alice"}
    decided = Entry("decided:u2", "operator", RecordKind.DECIDED, request="a/r/u2", plan_hash="h", result="Approved")
    written = made.ledger.append(replace(decided, detail={"required": 2, "people": people}))
    key = made.save("key.pem", public_key_of(PRIVATE_KEY))

    code, out, err = made.finops("verify", "--file", made.file, "--public-key", key, "-o", "json")

    assert code == 0, err
    report = json.loads(out)
    assert (report["ok"], report["problems"]) == (True, [])
    assert [(one["line"], one["code"]) for one in report["warnings"]] == [(written.sequence, "People")]
    assert f"warning, line {written.sequence}: People: record {written.sequence} calls k8s.alice and slack.U9" in err


def test_a_checkpoint_stands_for_the_signatures_it_covers_unless_each_is_asked_for(made: Ledger) -> None:
    kept = made.save("kept", made.witness.kept["Lease"])
    key = made.save("key.pem", public_key_of(PRIVATE_KEY))
    file = Path(made.file).read_text(encoding="utf-8").replace('"signature":"', '"signature":"' + "0" * 128, 1)
    other = made.save("other", file[: file.index("0" * 128) + 128] + file[file.index("0" * 128) + 256 :])
    given = ("verify", "--checkpoint", kept, "--public-key", key, "-o", "json", "--file")
    code, out, err = made.finops(*given, other)
    assert (code, json.loads(out)["coveredByCheckpoint"]) == (0, 6)
    assert "signed by a checkpoint, not checked one by one: 6 records (--every-signature)" in err
    code, out, _ = made.finops(*given, other, "--every-signature")
    assert (code, json.loads(out)["coveredByCheckpoint"]) == (1, 0)
    assert [one["code"] for one in json.loads(out)["problems"]] == ["Signature"]
    assert made.finops(*given, made.file, "--every-signature")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a request or --since"),
        (("r", "--since", "x"), "give a request or --since"),
        (("nobody",), "is no request in the ledger"),
        (("--since", "absent"), "--since: cannot be read"),
        (("r", "--checkpoint", __file__), "--checkpoint: a text is no checkpoint"),
    ],
)
def test_what_cannot_be_proved_is_said_with_what_to_change(arguments: tuple[str, ...], said: str, made: Ledger) -> None:
    code, out, err = made.finops("prove", *arguments, "--redis", made.url)
    assert (code, out) == (2, "")
    assert said in err


def test_a_proof_without_a_key_says_that_anybody_can_have_made_it(made: Ledger) -> None:
    code, _, err = made.finops("verify", "--proof", made.save("proof", made.prove("u1")))
    assert code == 0
    assert "signatures were not checked" in err
