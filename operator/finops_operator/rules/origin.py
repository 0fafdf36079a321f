"""Where a request comes from: the ids under which the ledger records that the operator itself proposed it. Pure.

Two records per request: one before the object exists (its exact spec, by hash), one after (its uid). An object that
neither record knows was made by somebody else and is never acted upon.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from finops.crds.action_request import ActionRequest, ActionRequestSpec
from finops.domain.canonical import sha256_hex


def spec_hash(spec: ActionRequestSpec) -> str:
    """Return the SHA-256 of the whole spec, terms and money included."""
    return sha256_hex(_without_floats(spec.to_dict()))


def intended_id(request: ActionRequest) -> str:
    """Return the operation id of the record made before the object."""
    return f"propose:{request.metadata.namespace}/{request.metadata.name}:{spec_hash(request.spec)[:16]}"


def created_id(uid: str) -> str:
    """Return the operation id of the record made once the object has a uid."""
    return f"proposed:{uid}"


def is_older(request: ActionRequest, since: datetime) -> bool:
    """Return whether a request was made before the admission policies were in force: somebody else may have made it."""
    made = request.metadata.creation_timestamp
    return made is None or made <= since


def _without_floats(value: Any) -> Any:
    """Spell the spec's few decimal numbers (coverage) as text: the ledger hashes no floats."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _without_floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_floats(inner) for inner in value]
    return value
