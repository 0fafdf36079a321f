"""Every rule accepts and refuses on a real API server what the table says, with its message and its field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from kubernetes import client
from tests.e2e.cluster_api import CRDS, Cluster, KindClient, refusal, unique_name
from tests.support.manifests import manifest
from tests.support.rule_case import RuleCase
from tests.support.rule_cases import RULE_CASES
from tests.support.schema_walk import all_rules, rules_of

pytestmark = pytest.mark.cluster

RULES = tuple(all_rules())


def _store(objects: KindClient, case: RuleCase, *changes: Mapping[str, Any]) -> None:
    """Create the object, its status afterwards as the operator would; then change it where the case is about that."""
    made = manifest(case.kind, *changes[:1], name=unique_name("rule"))
    name = made["metadata"]["name"]
    objects.create(made)
    if "status" in made:
        objects.patch_status(name, {"status": made["status"]})
    for change in changes[1:]:
        if "status" in change and change["status"] is None:
            current = objects.get(name)
            objects.replace_status(name, {key: value for key, value in current.items() if key != "status"})
        elif "status" in change:
            objects.patch_status(name, dict(change))
        else:
            objects.patch(name, dict(change))


def _changes(case: RuleCase, change: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (change,) if case.given is None else (case.given, change)


def test_every_rule_of_the_served_schemas_has_a_case(cluster: Cluster) -> None:
    served = {
        (kind, where, message.split("; ")[0])
        for kind, crd in CRDS.items()
        for _, where, message in rules_of(kind, json.loads(cluster.kubectl("get", "crd", crd.name, "-o", "json")))
    }
    assert {(case.kind, case.where, case.problem) for case in RULE_CASES} == served


@pytest.mark.parametrize("case", RULE_CASES, ids=str)
def test_an_object_that_keeps_the_rule_is_accepted(cluster: Cluster, case: RuleCase) -> None:
    _store(cluster.kind(case.kind), case, *_changes(case, case.good))


@pytest.mark.parametrize("case", RULE_CASES, ids=str)
def test_an_object_that_breaks_the_rule_is_refused_with_its_message(cluster: Cluster, case: RuleCase) -> None:
    (message, *others) = {
        message
        for kind, where, message in RULES
        if (kind, where) == (case.kind, case.where) and message.startswith(f"{case.problem}; ")
    }
    assert not others
    with pytest.raises(client.ApiException) as caught:
        _store(cluster.kind(case.kind), case, *_changes(case, case.bad))
    code, said = refusal(caught.value)
    assert code == 422
    assert message in said
    assert case.shown_path in said
