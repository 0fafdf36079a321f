"""Names that say what they name and that everyone computes alike.

Used by the operator when it proposes, by bot, web and command line when they vote, by the executor for STS session
names.
"""

from __future__ import annotations

import json
import re

from finops.domain.canonical import Json, sha256_hex

REQUEST_NAME_CHARACTERS = 64
_POLICY_CHARACTERS = 12
_RESOURCE_CHARACTERS = 22
_ACTION_CHARACTERS = 18
_HASH_CHARACTERS = 9
_APPROVAL_HASH_CHARACTERS = 48


def json_text(value: Json) -> str:
    """Any JSON value as one line of printable ASCII, the form in which plans and fingerprints stand in an object."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def approval_name(request_uid: str, person: str, decision: str) -> str:
    """The name of an Approval: the same person deciding the same on the same request gives the same name.

    Args:
        request_uid: `metadata.uid` of the ActionRequest.
        person: `Voter.person` of the Approval (`slack:T0123/U0123`, `kubernetes:alice`).
        decision: Approve, Deny, Withdraw or Undo.
    """
    return "apv-" + sha256_hex([request_uid, person, decision])[:_APPROVAL_HASH_CHARACTERS]


def action_request_name(policy: str, action: str, resource_id: str, plan_hash: str, occurrence: int = 1) -> str:
    """The name of an ActionRequest, `production-ec2-inst-resize-i-0abc…-1f2e3d4c5`.

    At most 64 characters of `[a-z0-9.-]`, a valid object name and a valid STS role session name. The tail is a hash of
    all arguments, so that shortened names stay apart. `occurrence` counts proposals of the same plan: a request that
    expired keeps its name for 30 days, the next one needs another.
    """
    parts = (
        _shortened(policy, _POLICY_CHARACTERS),
        _shortened(action, _ACTION_CHARACTERS),
        _shortened(resource_id, _RESOURCE_CHARACTERS),
        sha256_hex([policy, action, resource_id, plan_hash, occurrence])[:_HASH_CHARACTERS],
    )
    return "-".join(part for part in parts if part)


def _shortened(text: str, characters: int) -> str:
    """The start of a text in lower case letters, digits and hyphens, without hyphens at its ends."""
    plain = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:characters].strip("-")
