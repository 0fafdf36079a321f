"""Whether the keys of an instance's volumes can be used for its next start; read and judged by the instance acts.

With a key that is disabled or due to be deleted AWS accepts a start and takes it back: the instance stays stopped.
Whether the executor may use a key AWS does not say: a dry run of `kms:CreateGrant` comes from us, and the role is
allowed grants only where EC2 asks for them in its name. So a key of another account, whose policy this account does not
see, is refused too. Source: KMS developer guide, "Key states of AWS KMS keys"; KMS API reference, DescribeKey and
CreateGrant; EC2 API reference, state reason `Client.InvalidKMSKey.InvalidState`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Refusal

DESCRIBE_KEY: Final = "kms:DescribeKey"
USABLE: Final = "Enabled"
_GONE: Final = "gone"
_UNKNOWN: Final = "unknown"
_OTHER_ACCOUNT: Final = "other account"
_OTHER_REGION: Final = "other region"
_NOT_FOUND: Final = frozenset({"NotFoundException"})
_WORDS: Final[Mapping[str, str]] = {
    "Disabled": "is disabled",
    "PendingDeletion": "is due to be deleted",
    "PendingReplicaDeletion": "is due to be deleted",
    "PendingImport": "has no key material",
    "Unavailable": "is in a key store that does not answer",
    _GONE: "does not exist any more",
    _OTHER_ACCOUNT: "belongs to another account, whose key policy is not visible from here",
    _OTHER_REGION: "is in another region",
}


def key_states(reader: Reader, resource: ResourceRef, keys: Sequence[str]) -> dict[str, Json]:
    """Return key ARN → AWS's word for its state, or ours for what AWS has no word for.

    Raises:
        AwsError: as the reader, except for a refusal: the key's own policy may refuse what the role is allowed.
    """
    return {key: _state(reader, resource, key) for key in keys}


def _state(reader: Reader, resource: ResourceRef, key: str) -> str:
    _, _, _, region, account, *_ = [*key.split(":"), "", "", "", "", ""]
    if account != resource.account:
        return _OTHER_ACCOUNT
    if region != resource.region:
        return _OTHER_REGION
    try:
        answer = reader.read(DESCRIBE_KEY, {"KeyId": key})
    except AwsDenied:
        return _UNKNOWN
    except AwsRejected as error:
        if error.code in _NOT_FOUND:
            return _GONE
        raise
    return str((answer.get("KeyMetadata") or {}).get("KeyState") or _UNKNOWN)


def unusable(state: str) -> str:
    """Return what is known to keep a key from being used, in a clause; empty when it can be, or is not known."""
    return "" if state in {USABLE, _UNKNOWN} else _WORDS.get(state, f"is in the state {state}")


def key_refusals(observation: Observation, *, unknown_refuses: bool = True) -> tuple[Refusal, ...]:
    """Return why the instance could not be started with its volumes' keys.

    Args:
        observation: of the instance.
        unknown_refuses: whether what is not known refuses too: before a stop, not before a start, which harms nothing.
    """
    states = observation.facts.get("keyStates")
    if not isinstance(states, Mapping):
        sentence = "It is not known which keys encrypt its volumes: allow ec2:DescribeVolumes to the scanner role."
        return (Refusal("KmsKeyUnknown", sentence),) if unknown_refuses else ()
    found = []
    for key, state in sorted(states.items()):
        if state == _UNKNOWN and unknown_refuses:
            sentence = f"AWS did not say whether key {key} can be used: allow {DESCRIBE_KEY} to the scanner role"
            found.append(Refusal("KmsKeyUnknown", f"{sentence}, in the key's policy too."))
        elif state not in {USABLE, _UNKNOWN}:
            words = _WORDS.get(str(state), f"is in the state {state}")
            sentence = f"Key {key} of one of its volumes {words}: it may not start with it."
            found.append(Refusal("KmsKeyUnusable", sentence))
    return tuple(found)
