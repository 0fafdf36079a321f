"""Ids are open in the schema and judged by the release that reads them, each with the nearest one it knows."""

from __future__ import annotations

import pytest
from tests.support.scan_samples import account, policy

from finops.errors import InvalidInput
from finops_operator.plugins.loaded import known_ids, plugins
from finops_operator.rules.known_ids import KnownIds, nearest

KNOWN = known_ids(plugins())


def test_a_policy_of_known_ids_has_nothing_unknown() -> None:
    known = policy(resources=["ebs-volume"], checks=[{"id": "ebs_volume_gp2"}])
    KNOWN.require(known)
    assert KNOWN.in_policy(known) == ()


def test_every_unknown_id_of_a_policy_is_named_with_its_place_and_the_nearest_one() -> None:
    found = KNOWN.in_policy(
        policy(
            resources=["ebs-volume", "ec2-instanze"],
            checks=[{"id": "ec2_instance_idel"}],
            actions={"mode": "Recommend", "allowed": ["ec2_instance_stop", "toaster_clean"]},
        )
    )
    assert [(one.path, one.rule) for one in found] == [
        ("spec.resources[1]", "there is no kind of resource ec2-instanze"),
        ("spec.checks[0].id", "there is no check ec2_instance_idel"),
        ("spec.actions.allowed[1]", "there is no action toaster_clean"),
    ]
    assert [one.hint for one in found[:2]] == ["did you mean ec2-instance?", "did you mean ec2_instance_idle?"]
    assert found[2].hint.startswith("known: auto_scaling_group_resize, dynamodb_table_set_mode, ")


def test_the_operator_refuses_such_a_policy_by_its_first_unknown_id_and_counts_the_others() -> None:
    wrong = policy(resources=["toaster-oven"], checks=[{"id": "lambda_idle"}])
    with pytest.raises(InvalidInput, match=r"no kind of resource toaster-oven \(1 more\)") as caught:
        KNOWN.require(wrong)
    assert caught.value.field == "spec.resources[0]"


def test_unknown_grants_of_an_account_are_named() -> None:
    wrong = account(allow=[{"namespaces": ["a"]}, {"namespaces": ["b"], "actions": ["ec2_instance_stopp"]}])
    (found,) = KNOWN.in_account(wrong)
    assert (found.path, found.hint) == ("spec.allow[1].actions[0]", "did you mean ec2_instance_stop?")


def test_of_many_known_ids_only_some_are_listed() -> None:
    many = KnownIds(frozenset(f"check_{number:03d}" for number in range(200)), frozenset(), frozenset())
    assert nearest("zzz", many.checks).endswith("check_011 and 188 more")
