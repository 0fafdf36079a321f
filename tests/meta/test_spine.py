"""The rooms outside `services` hold no word of any service: no kind, type, state, check or action.

The words searched for come from the declarations themselves, so a new service is searched for from its first day. Read
are identifiers and texts in code, split into words at underscores, hyphens and capitals: `isinstance` is one word, and
a bot's `instance` is not `ec2-instance`. Docstrings and comments may name a service as an example.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from finops_operator.plugins.loaded import plugins

ROOT: Final = Path(__file__).resolve().parents[2]
SPINE: Final = tuple(
    path
    for folder in ("operator/finops", "operator/finops_operator", "operator/finops_web", "slackbot/finops_slackbot")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "services" not in path.parts
)
ALLOWED: Final = {
    "operator/finops_operator/aws/regions.py": "AWS lists the regions of an account by a call of EC2",
    "operator/finops_operator/aws/permissions.py": "IAM calls some services otherwise than the SDK",
    "operator/finops_operator/aws/limiter.py": "AWS publishes its quotas by service",
    "operator/finops_operator/pricing/instance_types.py": "a table of what AWS sells, read by several services",
    "operator/finops_operator/plugins/ownership.py": "an owner marks what it owns by tags that begin with its own name",
    "operator/finops/audit_verify/plan.py": "the verifier shares nothing with the operator: it knows what undoes what",
    "operator/finops/audit_verify/new_volume.py": "as the plan: it knows how a deleted volume is made again",
    "operator/finops/settings.py": "the ledger may be kept in S3, whatever is scanned",
    "operator/finops/ledger/bucket_sink.py": "as the settings: what it writes is kept there",
    "operator/finops/ledger/durable.py": "as the settings: it names the one to set",
    "operator/finops_operator/aws/bucket_place.py": "as the settings: it reads them",
    "operator/finops_operator/aws/locked_bucket.py": "as the settings: the bucket is there",
    "operator/finops_operator/cli/bucket_export.py": "as the settings: it reads them",
    "operator/finops_operator/cli/commands/audit.py": "as the settings: a place to export from",
    "operator/finops_operator/cli/commands/iam_policy.py": "as the settings: rights on the bucket",
    "operator/finops_operator/cli/iam_documents.py": "as the settings: rights on the bucket",
    "operator/finops_operator/plugins/watched.py": "an alarm is read from CloudWatch for every kind",
    "operator/finops_operator/webhooks/addresses.py": "networks have names of their own",
    "operator/finops_web/people/id_tokens.py": "algorithms of signatures have names of their own",
    "operator/finops/domain/focus/columns.py": "FOCUS names its columns, and AWS what they would hold",
    "operator/finops/domain/focus/charges.py": "FOCUS names its columns",
    "operator/finops/crds/values.py": "a policy names the families that right-sizing may propose",
    "operator/finops/crds/action_request.py": "examples in descriptions of fields",
    "operator/finops/crds/policy_status.py": "an example in the description of a field",
    "operator/finops/crds/scan_policy.py": "an example in the description of a field",
    "operator/finops_web/api/auto_scaling_groups.py": "paths and names of fields of the classic API are an interface",
    "operator/finops_web/api/costing.py": "the classic API always has five kinds in its breakdown",
    "operator/finops_web/api/ebs_volumes.py": "paths and names of fields of the classic API are an interface",
    "operator/finops_web/api/instances.py": "paths and names of fields of the classic API are an interface",
    "operator/finops_web/api/load_balancers.py": "paths and names of fields of the classic API are an interface",
    "operator/finops_web/api/rds_instances.py": "paths and names of fields of the classic API are an interface",
    "operator/finops_web/api/saving_claims.py": "names of fields of the classic API are an interface",
    "operator/finops_web/api/savings.py": "names of fields of the classic API are an interface",
}
"""Files in which a service may be named; each with the reason, and no longer than it holds."""

ORDINARY: Final = frozenset({"auto", "load", "log", "logs", "cloudwatch"})
"""Services and beginnings of kind ids that are words of everyday English: `load-balancer`, `log-group` of `logs`; and
the service that every metric of every kind is read from."""

WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*[a-z]*|\d+")
Words = tuple[str, ...]


@cache
def words_of(text: str) -> Words:
    """Split an identifier or a text into lower-case words: `instanceType`, `instance_type` → instance, type."""
    return tuple(word.lower() for word in WORD.findall(text))


@cache
def service_words() -> dict[Words, str]:
    """Return what no spine may say, by its words: ids, services, and names of facts, metrics and parameters."""
    loaded = plugins()
    found = dict.fromkeys((*loaded.kinds, *loaded.checks, *loaded.actions), "a plug-in")
    for kind in loaded.kinds.values():
        found |= {word: "a service" for word in (kind.service, kind.id.partition("-")[0]) if word not in ORDINARY}
        found |= {field.name: f"a fact of {kind.id}" for field in fields(kind.facts)}
        found |= {spec.name: f"a metric of {kind.id}" for spec in kind.metrics}
    for action in loaded.actions.values():
        found |= dict.fromkeys(action.sample.parameters, f"a parameter of {action.id}")
    named = {words_of(name): why for name, why in found.items()}
    return {words: why for words, why in named.items() if len(words) > 1 or why == "a service"}


@cache
def states() -> frozenset[str]:
    """Return every kind's own words for states."""
    kinds = plugins().kinds.values()
    return frozenset().union(
        *(words for kind in kinds for words in (kind.states.running, kind.states.stopped, kind.states.unmeasured))
    )


def spoken(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of every identifier and every string that is no docstring."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    documentation |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                yield line, text
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text) | ast.keyword(arg=str(text)):
                yield line, text
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text) | ast.ClassDef(name=text):
                yield line, text
            case ast.alias(name=text):
                yield line, text


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string that something is compared with, alone or in a collection.

    What a compared expression calls or reads is no comparison: `fields.get("connected") == "true"`.
    """
    for node in ast.walk(tree):
        sides = (node.left, *node.comparators) if isinstance(node, ast.Compare) else ()
        wholes = (node,) if isinstance(node, ast.Set) else sides
        for whole in wholes:
            for one in whole.elts if isinstance(whole, (ast.Set, ast.Tuple, ast.List)) else (whole,):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.lineno, one.value


@cache
def phrases() -> dict[Words, str]:
    """Return the words that no spine may say, the last of them in singular and plural."""
    plural = {(*words[:-1], f"{words[-1]}s"): why for words, why in service_words().items()}
    return {**plural, **service_words()}


@cache
def lengths() -> tuple[int, ...]:
    """Return of how many words the phrases are."""
    return tuple(sorted({len(words) for words in phrases()}))


@cache
def named_by(text: str) -> tuple[str, ...]:
    """Return what stands in a text one word after the other that names a service."""
    words = words_of(text)
    parts = (words[at : at + length] for length in lengths() for at in range(len(words) - length + 1))
    return tuple(why for part in parts if (why := phrases().get(part)) is not None)


def found_in(source: str) -> list[str]:
    """Return what a module says of a service, one line for each."""
    tree = ast.parse(source)
    named = [f"{line}: {text!r} names {why}" for line, text in spoken(tree) for why in named_by(text)]
    return named + [f"{line}: {text!r} is a state of a kind" for line, text in compared(tree) if text in states()]


@pytest.mark.parametrize("path", SPINE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_spine_says_no_word_of_a_service(path: Path) -> None:
    if str(path.relative_to(ROOT)) not in ALLOWED:
        assert found_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'kind = "ec2-instance"',
        "def resize_ec2_instance(): ...",
        'x = parameters["instanceType"]',
        "instance_types = ()",
        'told = f"an EBS thing of {name}"',
        'if one.state == "available": pass',
        'if one.state in {"in-use", "stopped"}: pass',
        'if one.state in ("in-use", "stopped"): pass',
        'if "available" == one.state: pass',
        'run("ebs_volume_delete")',
    ],
)
def test_a_word_of_a_service_is_found(line: str) -> None:
    assert found_in(line)


@pytest.mark.parametrize(
    "line",
    [
        "isinstance(value, str)",
        "self.instance = instance",
        'raise StoreUnavailable("the store is full", hint="raise the size of the volume under the file")',
        'STATES = {State.EXECUTING: "running"}',
        '"""Such as an ec2-instance."""',
        "content_type = response.content_type",
        'if fields.get("available") == "true": pass',
    ],
)
def test_a_common_word_is_left_alone(line: str) -> None:
    assert found_in(line) == []


@pytest.mark.parametrize("path", sorted(ALLOWED))
def test_an_exception_is_still_needed(path: str) -> None:
    assert found_in((ROOT / path).read_text(encoding="utf-8"))
