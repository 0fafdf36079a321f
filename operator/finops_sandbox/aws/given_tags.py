"""Tags that a creating call gives, held to the rules of EC2; moto takes whatever comes.

Used by the calls that make snapshots and volumes. Source: Amazon EC2 user guide, "Tag your Amazon EC2 resources" (tag
restrictions); EC2 API reference, TagSpecification and client error codes.
"""

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError

_MOST = 50
_LONGEST_KEY = 128
_LONGEST_VALUE = 256


def given_tags(call: Call, resource_type: str) -> dict[str, str]:
    """Return the tags for what the call makes.

    Raises:
        AwsError: TagLimitExceeded, InvalidParameterValue.
    """
    found: dict[str, str] = {}
    for specification in call.parameters.get("TagSpecifications") or []:
        named = specification.get("ResourceType")
        if named != resource_type:
            message = f"'{named}' is not a valid taggable resource type for this operation."
            raise AwsError("InvalidParameterValue", message)
        for tag in specification.get("Tags") or []:
            key, value = str(tag.get("Key", "")), str(tag.get("Value", ""))
            problem = _problem(key, value, found)
            if problem:
                raise AwsError("InvalidParameterValue", problem)
            found[key] = value
    if len(found) > _MOST:
        raise AwsError("TagLimitExceeded", f"Tag quota exceeded, maximum allowed number of tags is '{_MOST}'.")
    return found


def _problem(key: str, value: str, found: dict[str, str]) -> str:
    if not 1 <= len(key) <= _LONGEST_KEY:
        return f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters, or is empty"
    if len(value) > _LONGEST_VALUE:
        return f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters"
    if key.lower().startswith("aws:"):
        return "Tag keys starting with 'aws:' are reserved for internal use"
    return f"Duplicate tag key '{key}' specified." if key in found else ""
