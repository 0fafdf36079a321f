"""JSON patch, merge patch and strategic merge patch. Server-side apply is refused."""

import copy
from typing import Any

import jsonpatch
import jsonpointer

from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj, bad_request

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

# Merge keys of the lists the double's own kinds have (from the patchMergeKey tags of the API types).
_MERGE_KEYS = {"ownerReferences": "uid", "conditions": "type", "secrets": "name", "imagePullSecrets": "name"}
_MERGED_VALUES = frozenset({"finalizers"})


def refuse_server_side_apply(content_type: str) -> None:
    """Say what to do instead: field owners are not kept, and a guess at a conflict would be a lie.

    Raises:
        ApiError: 415 when the type is that of server-side apply.
    """
    if content_type == APPLY_PATCH:
        message = "server-side apply is not served here: leave --server-side out, or send a merge patch"
        raise ApiError(415, "UnsupportedMediaType", message)


def apply_patch(kind: Kind, content_type: str, obj: Obj, patch: Any) -> Obj:
    """The object after the patch; the argument is left as it was.

    Raises:
        ApiError: 415 for a patch type the kind does not take, 422 when a JSON patch does not fit, 400 for nonsense.
    """
    before = copy.deepcopy(obj)
    if content_type == JSON_PATCH:
        return _json_patch(before, patch)
    if content_type == STRATEGIC_PATCH and kind.custom:
        accepted = f"{JSON_PATCH}, {MERGE_PATCH}, {APPLY_PATCH}"
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise ApiError(415, "UnsupportedMediaType", message)
    if not isinstance(patch, dict):
        raise bad_request("a merge patch must be an object")
    merged = strategic(before, patch) if content_type == STRATEGIC_PATCH else merge(before, patch)
    return dict(merged)


def merge(base: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    out = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def _json_patch(obj: Obj, patch: Any) -> Obj:
    try:
        changed = jsonpatch.apply_patch(obj, patch)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as error:
        text = "the server rejected our request due to an error in our request"
        raise ApiError(422, "Invalid", text, {}) from error
    if not isinstance(changed, dict):
        raise bad_request("the patch does not leave an object")
    return changed


def strategic(base: Any, patch: Any, name: str = "") -> Any:
    """Strategic merge with its directives: ``$patch``, ``$deleteFromPrimitiveList``; order hints are accepted."""
    if isinstance(patch, list):
        return _strategic_list(base if isinstance(base, list) else [], patch, name)
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    out = dict(base) if isinstance(base, dict) else {}
    if patch.get("$patch") == "delete":
        return {}
    for key, value in patch.items():
        if key.startswith(("$setElementOrder/", "$retainKeys")):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            out[field] = [item for item in out.get(field) or () if item not in value]
        elif value is None:
            out.pop(key, None)
        else:
            out[key] = strategic(out.get(key), value, key)
    return out


def _strategic_list(base: list[Any], patch: list[Any], name: str) -> list[Any]:
    if name in _MERGED_VALUES:
        return [*base, *(item for item in patch if item not in base)]
    key = _MERGE_KEYS.get(name)
    if key is None:
        return patch
    out = list(base)
    for item in patch:
        place = next((i for i, old in enumerate(out) if old.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del out[place]
        elif place is None:
            out.append(item)
        else:
            out[place] = strategic(out[place], item)
    return out
