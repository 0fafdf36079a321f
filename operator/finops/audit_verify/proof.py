"""Checks what `finops audit prove` prints, without the ledger: that records stand in it, or that it only grew.

`{"checkpoint": C, "records": [{"hash": H, "path": […], "record": R, "signature": S}, …]}` shows that the records of one
request stand in the ledger that C covers. They name each other, from the first one on, so that none in between is left
out; what came after the last one a proof cannot show, and says so. `{"earlier": C, "later": D, "path": […]}` shows that
the ledger of D begins with the ledger of C.

A proof holds no record of a key's replacement that its maker left out. So its checkpoint, the later one of two, counts
only by the newest key given: what it covers was checked by whoever holds that key, by which older key it was signed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finops.audit_verify import checkpoints
from finops.audit_verify.form import NotARecord, canonical, parse
from finops.audit_verify.merkle import NoProof, check_consistency, root_by_inclusion
from finops.audit_verify.signatures import Keys


@dataclass(frozen=True, slots=True)
class ProofReport:
    """Result of checking one proof.

    Attributes:
        shows: what is proved when there are no problems, as a sentence.
        problems: everything that is wrong.
        signed: whether signatures were checked.
        warnings: what the proof leaves open.
    """

    shows: str
    problems: tuple[str, ...]
    signed: bool
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_proof(text: str, *, keys: Keys | None = None) -> ProofReport:
    """Check a proof. Without keys only its arithmetic is checked: anybody could have made it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return ProofReport("", (f"the proof is no JSON: {error}",), keys is not None)
    fields = set(document) if isinstance(document, dict) else set()
    warnings: tuple[str, ...] = ()
    if fields == {"checkpoint", "records"} and isinstance(document["records"], list) and document["records"]:
        shows, problems = _inclusion(document["checkpoint"], document["records"], keys)
        warnings = () if problems else _left_open(document["checkpoint"]["size"], document["records"][-1])
    elif fields == {"earlier", "later", "path"} and isinstance(document["path"], list):
        shows, problems = _consistency(document["earlier"], document["later"], document["path"], keys)
    else:
        shows, problems = "", ["the document is neither a proof of records nor one of two checkpoints"]
    return ProofReport(shows, tuple(problems), keys is not None, warnings)


def _left_open(size: int, last: dict[str, Any]) -> tuple[str, ...]:
    """Return what may have been left out behind the last record of a proof: nothing where the tree ends with it."""
    number = last["record"]["sequence"]
    if number == size:
        return ()
    tree = f"the tree has {size} records"
    return (f"what came after record {number} of this request, if anything, is not in this proof; {tree}",)


def _inclusion(checkpoint: Any, records: Sequence[Any], keys: Keys | None) -> tuple[str, list[str]]:
    problems = _problems_of_latest("the checkpoint", checkpoint, keys)
    if problems:
        return "", problems
    request, before = "", 0
    for one in records:
        try:
            record = _included(one, checkpoint, keys)
        except (NotARecord, NoProof) as error:
            problems.append(str(error))
            continue
        request = request or record["request"]
        number = record["sequence"]
        if record["request"] != request:
            problems.append(f"record {number} is about another request")
        if record["requestPrevious"] != before:
            problems.append(f"record {number} follows record {record['requestPrevious']} of its request, not {before}")
        before = number
    covered = f"the ledger of {checkpoint['size']} records at {checkpoint['time']}"
    return f"{len(records)} records of {request} stand in {covered}", problems


def _included(one: Any, checkpoint: dict[str, Any], keys: Keys | None) -> dict[str, Any]:
    if not isinstance(one, dict) or set(one) != {"hash", "path", "record", "signature"}:
        raise NotARecord("an entry of the proof does not hold exactly hash, path, record and signature")
    if not isinstance(one["path"], list):
        raise NotARecord("a path is no list")
    line = canonical({name: one[name] for name in ("hash", "record", "signature")})
    digest, record, signature = parse(line)
    number = record["sequence"]
    wrong = keys.problem(record["key"], digest, signature) if keys is not None else ""
    if wrong:
        raise NotARecord(f"record {number}: {wrong}")
    if root_by_inclusion(digest, number, checkpoint["size"], one["path"]) != checkpoint["root"]:
        raise NoProof(f"record {number} does not stand in the ledger that the checkpoint covers")
    return record


def _consistency(earlier: Any, later: Any, path: Sequence[str], keys: Keys | None) -> tuple[str, list[str]]:
    problems = _problems_of_checkpoint("the earlier checkpoint", earlier, keys)
    problems += _problems_of_latest("the later checkpoint", later, keys)
    if problems:
        return "", problems
    try:
        check_consistency(earlier["size"], earlier["root"], later["size"], later["root"], path)
    except NoProof as error:
        return "", [str(error)]
    return f"the ledger of {later['size']} records begins with the ledger of {earlier['size']} records", []


def _problems_of_latest(name: str, document: Any, keys: Keys | None) -> list[str]:
    """Return what is wrong with the checkpoint that all of a proof rests on: it must be signed by the newest key."""
    problems = _problems_of_checkpoint(name, document, keys)
    if problems or keys is None or document["key"] == keys.newest:
        return problems
    which = f"{name} is signed by key {document['key']}, and the newest of those given is {keys.newest}"
    why = "whoever has a key that was replaced can have made this proof"
    return [f"{which}: {why}; ask for one with a later checkpoint (keys stand oldest first in the file)"]


def _problems_of_checkpoint(name: str, document: Any, keys: Keys | None) -> list[str]:
    why = checkpoints.problem_of_form(document) or checkpoints.problem_of_signature(document, keys)
    return [f"{name}: {why}"] if why else []
