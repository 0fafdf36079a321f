"""Checks checkpoints: those that stand in the ledger as records, and those that somebody kept elsewhere.

A checkpoint is `{"head": H, "key": K, "root": R, "signature": S, "sinks": N, "size": n, "time": T}`. R is the root of
the RFC 9162 tree over the first n records, H the hash of record n. S is the Ed25519 signature over the text `finops.dev
ledger checkpoint v1`, a line feed, and the canonical JSON of the rest.

A checkpoint noted by people is one line without a signature, `Ledger checkpoint 4,211 · sha256:ROOT`, as the thread of
an act shows it: it counts because of where it was kept, and only its size and root are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from finops.audit_verify.form import NotARecord, canonical
from finops.audit_verify.merkle import Tree, leaf
from finops.audit_verify.signatures import Keys

_PURPOSE = b"finops.dev ledger checkpoint v1\n"
_FIELDS = frozenset({"head", "key", "root", "signature", "sinks", "size", "time"})
_HEX = re.compile(r"[0-9a-f]{64}")


_NOTED = re.compile(r"`?(?:Ledger checkpoint )?([1-9][0-9,]{0,20}) · sha256:([0-9a-f]{64})`?")


def read_noted(text: str) -> tuple[int, str] | None:
    """Return size and root of a checkpoint on a line that people noted, None when the text is no such line."""
    found = _NOTED.fullmatch(text.strip())
    return (int(found[1].replace(",", "")), found[2]) if found else None


def is_noted(text: str) -> bool:
    """Return whether a text is such a line."""
    return read_noted(text) is not None


def problem_of_noted(size: int, root: str, tree: Tree) -> str:
    """Return why the first `size` records are not those with this root, empty when they are."""
    if size > tree.size:
        return f"it covers {size} records, and there are {tree.size}: the end is missing"
    return "" if tree.root(size) == root else f"the first {size} records are not those that it covers"


def read(text: str) -> dict[str, Any]:
    """Return the checkpoint in a text.

    Raises:
        NotARecord: it is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotARecord(f"not JSON: {error}") from error
    why = problem_of_form(document)
    if why:
        raise NotARecord(why)
    return dict(document)


def problem_of_form(document: object) -> str:
    """Return why a document is no checkpoint, empty when it is one."""
    if not isinstance(document, dict) or set(document) != _FIELDS:
        return "a checkpoint has exactly the fields " + ", ".join(sorted(_FIELDS))
    numbers = all(type(document[name]) is int and document[name] > 0 for name in ("size", "sinks"))
    texts = all(isinstance(document[name], str) for name in ("key", "signature", "time"))
    hashes = all(isinstance(document[name], str) and _HEX.fullmatch(document[name]) for name in ("head", "root"))
    return "" if numbers and texts and hashes else "a field of the checkpoint is malformed"


def problem_of_signature(document: Mapping[str, Any], keys: Keys | None) -> str:
    """Return why a checkpoint's signature does not count, empty when it does or nobody gave keys."""
    if keys is None:
        return ""
    claims = {name: value for name, value in document.items() if name != "signature"}
    return keys.problem_of_text(
        document["key"], _PURPOSE + canonical(claims).encode("utf-8", errors="surrogatepass"), document["signature"]
    )


def problem_of_content(document: Mapping[str, Any], tree: Tree) -> str:
    """Return why the records are not those that a checkpoint covers, empty when they are."""
    size = document["size"]
    if size <= tree.size and tree.leaf(size) != leaf(document["head"]):
        return f"the first {size} records are not those that it covers"
    return problem_of_noted(size, document["root"], tree)


def problem(document: object, tree: Tree, keys: Keys | None) -> str:
    """Return why a checkpoint does not hold for a ledger, empty when it does."""
    why = problem_of_form(document)
    if why or not isinstance(document, dict):
        return why
    return problem_of_signature(document, keys) or problem_of_content(document, tree)


def accepted_loss(detail: Mapping[str, Any], tree: Tree) -> tuple[str, str]:
    """Return what a record about an accepted loss says, and what is wrong with it.

    The checkpoints that it quotes hold no more, which is what was accepted. What is left must be what was named.
    """
    size, _, head = str(detail.get("accepted", "")).partition(" ")
    number = int(size) if size.isdecimal() and len(size) < len(str(tree.size)) + 1 else -1
    fits = number == 0 or (0 < number <= tree.size and _HEX.fullmatch(head) and tree.leaf(number) == leaf(head))
    wrong = "" if fits else "it accepts something that this ledger was not"
    return str(detail.get("problem", "")), wrong
