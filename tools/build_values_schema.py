"""Writes charts/finops-operator/values.schema.json from values.yaml: `python tools/build_values_schema.py [--check]`.

Every value has a default, whose type is the value's; a key that the chart does not know is refused at install.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent.parent / "charts" / "finops-operator"
STRING = {"type": "string"}
# Kubernetes refuses every value that is not text; numbers and booleans need quotes, or --set-string.
TEXTS = {"additionalProperties": STRING}
QUANTITIES = {"additionalProperties": {"type": ["string", "number"]}}
OPEN_MAPS: dict[str, dict[str, Any]] = {
    "affinity": {},
    "annotations": TEXTS,
    "podAnnotations": TEXTS,
    # What selects the pods is not the user's to change.
    "podLabels": {
        **TEXTS,
        "properties": {f"app.kubernetes.io/{name}": False for name in ("name", "instance", "component")},
    },
    "nodeSelector": TEXTS,
    "labels": TEXTS,
    "requests": QUANTITIES,
    "limits": QUANTITIES,
}
OBJECT_LISTS: dict[str, dict[str, Any]] = {
    "extraEnv": {"required": ["name"], "properties": {"name": STRING, "value": STRING}},
    "endpoints": {
        "required": ["name", "url"],
        "additionalProperties": False,
        "properties": {
            "name": {**STRING, "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
            "url": {**STRING, "pattern": "^https://[^/?#@\\s]+([/?#][^\\s]*)?$"},
            "types": {"type": "array", "items": {**STRING, "minLength": 1}},
        },
    },
    "tolerations": {},
    "topologySpreadConstraints": {"required": ["maxSkew", "topologyKey", "whenUnsatisfiable"]},
    "parentRefs": {"required": ["name"]},
    "tls": {},
    "pullSecrets": {"required": ["name"], "properties": {"name": STRING}},
}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
ADDRESS = {**STRING, "pattern": "^(https?://.+)?$"}
# One Role is made in each: a name that stands twice would be refused halfway through the installation.
NAMESPACES = {
    "type": "array",
    "items": {**STRING, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
    "uniqueItems": True,
}
# Values whose default does not say all that they may be.
EXACTLY: dict[str, dict[str, Any]] = {
    "aws.endpointUrl": ADDRESS,
    "slack.apiUrl": ADDRESS,
    "web.address": ADDRESS,
    "web.oidc.issuer": ADDRESS,
    # The operator refuses more at its start.
    "webhooks.endpoints": {
        "type": "array",
        "items": {"type": "object", **OBJECT_LISTS["endpoints"]},
        "maxItems": 20,
        "uniqueItems": True,
    },
    "watch.namespaces": NAMESPACES,
    # Both stand in the admission policy of scans and in a mount as they are.
    "prices.tables.existingClaim": {**STRING, "maxLength": 253, "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"},
    "prices.tables.subPath": {**STRING, "pattern": "^([A-Za-z0-9_][-A-Za-z0-9_.]*(/[A-Za-z0-9_][-A-Za-z0-9_.]*)*)?$"},
    "metrics.rules.scanOverdueHours": {"type": "integer", "minimum": 1},
    "secretsJob.ttlSecondsAfterFinished": {"type": ["integer", "null"], "minimum": 0},
    "slackbot.podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "web.podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "networkPolicy.apiServerPorts": {"type": "array", "items": PORT, "minItems": 1},
    "networkPolicy.storePorts": {"type": "array", "items": PORT},
    "networkPolicy.extraEgress.operator": {"type": "array", "items": {"type": "object"}},
    "networkPolicy.extraEgress.slackbot": {"type": "array", "items": {"type": "object"}},
    "networkPolicy.extraEgress.web": {"type": "array", "items": {"type": "object"}},
}
# What `--set KEY=null` takes away stands for none of it; any other section would be missed somewhere in a template.
MAY_BE_ABSENT = {"slack", "resources", *OPEN_MAPS}
CHOICES = {
    "networkPolicy.flavor": ["kubernetes", "cilium"],
    "slack.mode": ["Socket"],
    "image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "ledger.s3.mode": ["Compliance", "Governance"],
    "log.format": ["json", "text"],
    "log.level": ["DEBUG", "INFO", "WARNING", "ERROR"],
}


def schema_of(value: Any, path: str) -> dict[str, Any]:
    """Return the JSON schema that admits values like the default at `path`."""
    if path in EXACTLY:
        return EXACTLY[path]
    key = path.rpartition(".")[2]
    if isinstance(value, dict):
        if key in OPEN_MAPS:
            return {"type": "object", **OPEN_MAPS[key]}
        properties = {name: schema_of(inner, f"{path}.{name}".lstrip(".")) for name, inner in value.items()}
        sections = [name for name, inner in value.items() if isinstance(inner, dict) and name not in MAY_BE_ABSENT]
        required = {"required": sections} if sections else {}
        return {"type": "object", "additionalProperties": False, **required, "properties": properties}
    if isinstance(value, list):
        items = {"type": "object", **OBJECT_LISTS[key]} if key in OBJECT_LISTS else {**STRING, "minLength": 1}
        return {"type": "array", "items": items}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 0}
    if path in CHOICES:
        return {**STRING, "enum": CHOICES[path]}
    return STRING


def main() -> int:
    """Write the schema, or with --check compare it; exit code 1 when they differ."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **schema_of(values, "")}
    # Helm itself adds `global`.
    schema["properties"]["global"] = {"type": "object"}
    text = json.dumps(schema, indent=2) + "\n"
    target = CHART / "values.schema.json"
    if "--check" in sys.argv[1:]:
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{target.name} is not what values.yaml says: run make generate\n")
            return 1
        return 0
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
