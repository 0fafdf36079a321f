"""Reads ScanPolicy and AwsAccount documents from files, and says everything that is wrong with them at once.

Called by `scan` and `doctor`. The rules are those of the kinds; what the cluster leaves to the operator (whether a
schedule ever comes, the ranges of a check's parameters) is judged here too, before the first request.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.invalid import InvalidObject, shortened
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.crds.yaml_documents import MalformedYaml, yaml_documents
from finops.domain.lookback import out_of_reach
from finops.errors import InvalidInput
from finops_operator.cli.beyond_schema import BeyondSchema
from finops_operator.cli.problems import InvalidDocuments, Problem
from finops_operator.plugins.loaded import Plugins, known_ids
from finops_operator.scan.custom.checks import Catalog, compiled_checks

_KINDS: Final = ("ScanPolicy", "AwsAccount")
_SIZE_LIMIT: Final = 4_000_000
"""Bytes of one file; far above any policy, far below what would hurt."""


@dataclass(slots=True)
class Documents:
    """What the files hold: policies in their order, accounts by name."""

    policies: list[ScanPolicy] = field(default_factory=list)
    accounts: dict[str, AwsAccount] = field(default_factory=dict)

    def notes(self) -> Iterator[str]:
        """Yield what is worth knowing of a policy that is not wrong: pictures that its lookback is too long for."""
        for policy in self.policies:
            beyond = out_of_reach(policy.spec.metrics.lookback_days)
            if beyond:
                yield f"{policy.metadata.name}: {beyond}"


def read_documents(files: Sequence[str], loaded: Plugins, now: datetime) -> Documents:
    """Read all documents of `files`.

    Raises:
        InvalidDocuments: with every problem of every file.
    """
    found, problems, seen = Documents(), list[Problem](), dict[tuple[str, str, str], str]()
    beyond = BeyondSchema(loaded.checks, known_ids(loaded), now)
    for name in files:
        source = "stdin" if name == "-" else name
        try:
            for number, document in enumerate(_documents(name), start=1):
                problems += _taken(document, (source, number), found, seen, beyond)
        except MalformedYaml as error:
            problems.append(Problem(source, error.place, "", error.message, error.hint))
        except InvalidInput as error:
            problems.append(Problem(source, "", error.field, error.message, error.hint))
    catalog = Catalog(loaded.kinds, loaded.checks, loaded.actions)
    for policy in found.policies:
        source = seen["ScanPolicy", policy.metadata.namespace or "default", policy.metadata.name]
        problems += _own_checks_problems(policy, catalog, source)
    if problems:
        raise InvalidDocuments(problems)
    return found


def _documents(name: str) -> Iterator[Any]:
    for document in yaml_documents(_text(name)):
        if document is None:
            continue
        if isinstance(document, Mapping) and document.get("kind") == "List":
            yield from _items(document)
        else:
            yield document


def _items(document: Mapping[str, Any]) -> Sequence[Any]:
    items = document.get("items") or []
    if not isinstance(items, list):
        raise InvalidInput("is not a list", field="items", hint="write the objects of a List as entries with a dash")
    return items


def _text(name: str) -> str:
    try:
        data = sys.stdin.buffer.read(_SIZE_LIMIT + 1) if name == "-" else _bytes(Path(name))
        if len(data) > _SIZE_LIMIT:
            raise InvalidInput(f"is larger than {_SIZE_LIMIT} bytes", hint="name files that hold policies and accounts")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is not text in UTF-8 ({error.reason})", hint="save it as UTF-8") from error


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SIZE_LIMIT + 1)


def _taken(
    document: Any,
    place: tuple[str, int],
    found: Documents,
    seen: dict[tuple[str, str, str], str],
    beyond: BeyondSchema,
) -> Iterator[Problem]:
    """Put a document of a file into `found`, and yield what is wrong with it; `place` is file and number."""
    source, number = place
    where = f"document {number}"
    if not isinstance(document, Mapping):
        hint = f"write apiVersion: {API_VERSION}, kind, metadata and spec"
        yield Problem(source, where, "", "is not an object", hint)
        return
    kind = document.get("kind")
    if kind not in _KINDS:
        yield Problem(source, where, "kind", f"is {shortened(kind)}", f"write {' or '.join(_KINDS)}")
        return
    try:
        parsed = (ScanPolicy if kind == "ScanPolicy" else AwsAccount).from_object(document)
    except InvalidObject as error:
        named = f"{where} ({error.source.rstrip('/')})"
        more = beyond.problems(kind, document, {one.path for one in error.fields})
        yield from (Problem(source, named, one.path, one.rule, one.hint) for one in (*error.fields, *more))
        return
    metadata = parsed.metadata
    # An AwsAccount belongs to the cluster, whatever namespace its file names.
    namespace = (metadata.namespace or "default") if isinstance(parsed, ScanPolicy) else ""
    key = (str(kind), namespace, metadata.name)
    more = beyond.problems(kind, document, ())
    named = f"{where} ({kind}/{metadata.name})"
    yield from (Problem(source, named, one.path, one.rule, one.hint) for one in more)
    if key in seen:
        yield Problem(source, named, "metadata.name", f"is taken by {seen[key]}", "rename or remove one")
        return
    seen[key] = f"{source}: {named}"
    if isinstance(parsed, ScanPolicy):
        found.policies.append(parsed)
    else:
        found.accounts[metadata.name] = parsed


def _own_checks_problems(policy: ScanPolicy, catalog: Catalog, source: str) -> Iterator[Problem]:
    """Yield what is wrong with the checks that the policy brings itself."""
    for one in compiled_checks(policy.spec.custom_checks, catalog, policy.spec.resources):
        if isinstance(one, InvalidInput):
            yield Problem(source, "", one.field, one.message, one.hint)
