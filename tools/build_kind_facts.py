"""Writes what the dashboard knows of each kind: `python tools/build_kind_facts.py [--check]`.

The dashboard's image has no kinds. What it may show of them as columns stands in the kinds alone, with the names and
types by which custom checks ask for them; and so do the form of ARNs and the limits of sizes that pushes are compared
with. Run by `make generate`, and with `--check` by `make check`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_kinds
from finops_operator.scan.custom.fields import fields_of

TARGET: Final = Path(__file__).resolve().parent.parent / "operator/finops_web/kind_facts.json"
_PREFIX: Final = "attributes."


def declared_by(kinds: Mapping[str, ResourceKind[Any]]) -> dict[str, dict[str, Any]]:
    """Return kind → what it declares.

    `arn` is the pattern of its ARNs, `facts` fact → CEL's word for its type; where there are some, `limits` is fact →
    the most that AWS allows of it, and `shared_arns` that an ARN may name another account.
    """
    return {name: _declared(kind) for name, kind in sorted(kinds.items())}


def _declared(kind: ResourceKind[Any]) -> dict[str, Any]:
    limits = {fact: asdict(limit) for fact, limit in kind.limits.items()}
    return {
        "arn": kind.arn_pattern,
        **({"shared_arns": True} if kind.shared_arns else {}),
        "facts": _facts_of(kind),
        **({"limits": limits} if limits else {}),
    }


def _facts_of(kind: ResourceKind[Any]) -> dict[str, str]:
    return {
        one.name.removeprefix(_PREFIX): one.type for one in fields_of(kind).values() if one.name.startswith(_PREFIX)
    }


def main() -> int:
    """Write the file, or with --check compare it; exit code 1 when they differ."""
    text = json.dumps(declared_by(load_kinds()), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text("utf-8") != text:
            sys.stderr.write(f"{TARGET.name} is not what the kinds declare: run make generate\n")
            return 1
        return 0
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
