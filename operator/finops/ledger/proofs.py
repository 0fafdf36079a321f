"""Makes proofs from a ledger and signed checkpoints, for a stranger who has neither store nor file.

Whoever reads the ledger can make them; nothing here is trusted. `finops.audit_verify.proof` checks them with the public
key alone, in code of its own, and describes both documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from finops.domain.audit import Record, request_uid
from finops.domain.canonical import Json
from finops.errors import InvalidInput, LedgerDiverged
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.merkle import consistency_proof, inclusion_proof, root_of

_REQUEST: Final = "REQUEST"


@dataclass(frozen=True, slots=True)
class RequestProof:
    """A proof that the records of one request stand in a ledger.

    Attributes:
        document: what the verifier reads.
        newer: how many records of the request the checkpoint does not cover.
    """

    document: dict[str, Json]
    newer: int


def prove_request(records: Iterable[Record], request: str, checkpoint: Checkpoint) -> RequestProof:
    """Prove what the ledger holds about a request.

    Args:
        records: the ledger from its first record on.
        request: name, `namespace/name` or uid.
        checkpoint: of this ledger.

    Raises:
        InvalidInput: the ledger holds nothing about such a request, or it is about several of that name.
        LedgerDiverged: the ledger is not the one that the checkpoint covers.
    """
    hashes: list[bytes] = []
    found: list[Record] = []
    newer = 0
    for record in records:
        about = _is_about(record, request)
        if len(hashes) < checkpoint.size:
            hashes.append(bytes.fromhex(record.hash))
            found += [record] if about else []
        else:
            newer += about
    _check(hashes, checkpoint)
    uids = {request_uid(one.entry.request) for one in found}
    if len(uids) > 1:
        raise InvalidInput(
            f"is the name of {len(uids)} requests", field=_REQUEST, hint=f"give the uid: {', '.join(sorted(uids))}"
        )
    if not found:
        hint = "a newer checkpoint covers it" if newer else "finops audit list shows all records"
        raise InvalidInput("is no request in the ledger that the checkpoint covers", field=_REQUEST, hint=hint)
    proved: list[Json] = [
        {
            "hash": one.hash,
            "record": one.to_json(),
            "signature": one.signature,
            "path": [node.hex() for node in inclusion_proof(hashes, one.sequence - 1)],
        }
        for one in found
    ]
    return RequestProof({"checkpoint": checkpoint.to_json(), "records": proved}, newer)


def prove_growth(records: Iterable[Record], earlier: Checkpoint, later: Checkpoint) -> dict[str, Json]:
    """Prove that the ledger of the later checkpoint begins with the ledger of the earlier one.

    Raises:
        InvalidInput: the later one is the smaller one.
        LedgerDiverged: the ledger is not the one that a checkpoint covers; then there is no such proof.
    """
    if earlier.size > later.size:
        raise InvalidInput(
            f"covers {earlier.size} records, more than the {later.size} of the later checkpoint", field="--since"
        )
    hashes = [bytes.fromhex(one.hash) for one in islice(records, later.size)]
    _check(hashes, later)
    _check(hashes[: earlier.size], earlier)
    path = [node.hex() for node in consistency_proof(hashes, earlier.size)]
    return {"earlier": earlier.to_json(), "later": later.to_json(), "path": path}


def _check(hashes: list[bytes], checkpoint: Checkpoint) -> None:
    if len(hashes) < checkpoint.size or root_of(hashes).hex() != checkpoint.root:
        raise LedgerDiverged(
            f"the ledger is not the one that the checkpoint of {checkpoint.size} records covers",
            hint="finops audit verify --checkpoint says what is wrong",
        )


def _is_about(record: Record, request: str) -> bool:
    # Before its object exists a request has no uid: what is recorded then is linked by the whole chain alone.
    namespace, _, rest = record.entry.request.partition("/")
    name, _, uid = rest.partition("/")
    return bool(uid) and request in {uid, name, f"{namespace}/{name}", record.entry.request}
