"""What every object's metadata must satisfy: names, labels, finalizers, fields that never change."""

import re
import secrets

from finops_sandbox.kubernetes.objects import Cause, Kind, Obj

_LABEL = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME_MAXIMUM = 253
_LABEL_MAXIMUM = 63
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

SET_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "namespace",
    "name",
    "generateName",
)


def generated_name(prefix: str) -> str:
    """``generateName`` plus five letters, from Kubernetes' own alphabet (no vowels, no letters like digits)."""
    return prefix + "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))


def metadata_causes(kind: Kind, obj: Obj, old: Obj | None) -> list[Cause]:
    """Every reason why the metadata is refused."""
    metadata = obj["metadata"]
    causes = _name(kind, metadata.get("name") or "") if old is None else []
    for name, value in (metadata.get("labels") or {}).items():
        causes += _label(name, value)
    causes += _finalizers(metadata, old)
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        for word in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(word):
                path = f"metadata.ownerReferences[{index}].{word}"
                causes.append(Cause(path, 'Invalid value: "": must not be empty'))
    return causes


def _name(kind: Kind, name: str) -> list[Cause]:
    if not name:
        return [Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")]
    if kind.group == "rbac.authorization.k8s.io":
        if name in (".", "..") or "/" in name or "%" in name:
            return [Cause("metadata.name", f"Invalid value: \"{name}\": may not contain '/' or '%'")]
        return []
    if kind.plural == "namespaces":
        if not re.fullmatch(_DNS_LABEL, name) or len(name) > _LABEL_MAXIMUM:
            text = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                f"'{_DNS_LABEL}')"
            )
            return [Cause("metadata.name", f'Invalid value: "{name}": {text}')]
        return []
    if len(name) > _NAME_MAXIMUM:
        return [Cause("metadata.name", f'Invalid value: "{name}": must be no more than {_NAME_MAXIMUM} bytes')]
    if not re.fullmatch(_SUBDOMAIN, name):
        text = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            f"'{_SUBDOMAIN}')"
        )
        return [Cause("metadata.name", f'Invalid value: "{name}": {text}')]
    return []


def _label(name: str, value: str) -> list[Cause]:
    causes: list[Cause] = []
    bare = name.rpartition("/")[2]
    if not bare or not re.fullmatch(_LABEL, bare) or len(bare) > _LABEL_MAXIMUM:
        causes.append(Cause("metadata.labels", f'Invalid value: "{name}": name part must be a qualified name'))
    if len(value) > _LABEL_MAXIMUM:
        causes.append(Cause("metadata.labels", f'Invalid value: "{value}": must be no more than 63 bytes'))
    if not re.fullmatch(_LABEL, value):
        text = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
            f"for validation is '{_LABEL}')"
        )
        causes.append(Cause("metadata.labels", f'Invalid value: "{value}": {text}'))
    return causes


def _finalizers(metadata: Obj, old: Obj | None) -> list[Cause]:
    before = set(((old or {}).get("metadata") or {}).get("finalizers") or ())
    added = sorted(set(metadata.get("finalizers") or ()) - before)
    if not added or "deletionTimestamp" not in ((old or {}).get("metadata") or {}):
        return []
    listed = ", ".join(f'"{name}"' for name in added)
    text = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
    return [Cause("metadata.finalizers", f"Forbidden: {text}", "FieldValueForbidden")]
