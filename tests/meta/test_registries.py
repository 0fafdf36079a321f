"""Rules that every plug-in must keep: files, ids, parameters, tests, documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import TypeAdapter

from finops.audit_verify.plan import problem_of_call, problem_of_undo
from finops.crds.action_request import ActionRequestSpec
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Check
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_actions, load_checks, load_kinds
from finops_operator.plugins.session_policy import actions_of

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = load_actions()
CHECKS = load_checks()
KINDS = load_kinds()
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_PARAMETERS: Any = ActionRequestSpec.model_fields["parameters"].annotation
_COUNTED = ("bytes", "count", "seconds", "milliseconds", "capacity unit-hours")
"""Units of what is added up; all others are of levels."""
CAMEL = re.compile(r"[a-z]+([A-Z][a-z0-9]*)+")


def test_the_registry_finds_checks_and_kinds_by_their_files() -> None:
    assert set(CHECKS) >= {
        "ec2_instance_idle",
        "ec2_instance_overprovisioned",
        "ebs_volume_unattached",
        "ebs_volume_gp2",
    }
    assert set(KINDS) >= {"ec2-instance", "ebs-volume"}


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_a_check_is_named_after_a_kind_it_judges(check: Check[Any]) -> None:
    assert SNAKE.fullmatch(check.id)
    assert check.kinds
    assert set(check.kinds) <= set(KINDS)
    assert any(check.id.startswith(kind.replace("-", "_") + "_") for kind in check.kinds)


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_a_check_has_a_test_file_with_its_name(check: Check[Any]) -> None:
    assert any((ROOT / "tests" / "unit" / "services").glob(f"*/checks/test_{check.id}.py"))


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_a_check_links_to_the_aws_page_it_follows_and_names_an_action_or_none(check: Check[Any]) -> None:
    link = urlsplit(check.documentation)
    assert (link.scheme, link.netloc) == ("https", "docs.aws.amazon.com")
    assert not check.action or check.action in ACTIONS
    assert check.title


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_parameters_have_units_descriptions_and_defaults_within_their_range(check: Check[Any]) -> None:
    names = [spec.name for spec in check.parameters]
    assert len(set(names)) == len(names)
    assert check.window_parameter in ("", *names)
    for spec in check.parameters:
        assert CAMEL.fullmatch(spec.name)
        assert spec.unit
        assert spec.description.endswith(".")
        assert spec.minimum <= spec.default <= spec.maximum


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_declares_metrics_that_are_either_levels_or_sums(kind: ResourceKind[Any]) -> None:
    for spec in kind.metrics:
        assert spec.counter == (spec.unit in _COUNTED)
        assert (spec.hourly or spec.fine) is not spec.daily
        # Of parts a missing point is unknown: one that sends nothing would otherwise be none. Only amounts that are
        # published when something happened have none.
        assert spec.parts is None or not ((spec.missing_means_zero and not spec.counter) or spec.discovered)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_says_what_of_its_bill_is_not_in_its_cost(
    kind: ResourceKind[Any],
) -> None:
    named = {one.name for one in fields(kind.facts)} & {"not_in_cost", "billed_by_use"}
    assert len(named) + (kind.left_out is not None) == 1
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", one) for one in kind.left_out or ())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "operator/finops_operator/services").glob("*/checks/*.py")), ids=lambda p: p.stem
)
def test_a_check_stays_short_and_pure(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    assert not re.search(r"datetime\.now|import (boto3|redis|os|time|random|logging)\b|open\(", text)


@pytest.mark.parametrize("check", [one for one in CHECKS.values() if one.action], ids=lambda check: check.id)
def test_a_check_says_of_its_action_what_the_action_says_of_itself(check: Check[Any]) -> None:
    action = ACTIONS[check.action]
    assert set(check.kinds) <= action.kinds
    assert (check.destructive, check.restart_needed, check.rollback_possible, check.effort) == (
        action.destructive,
        action.restart_needed,
        action.rollback_possible,
        action.effort,
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kinds_sample_is_one_of_its_resources(kind: ResourceKind[Any]) -> None:
    assert re.fullmatch(kind.id_pattern, kind.sample.id)
    assert fnmatch(kind.sample.arn, kind.arn_pattern)
    assert kind.sample.arn.endswith(kind.sample.id)
    sample = _sample(kind, "")
    assert facts_of(kind.facts, sample) == kind.facts()
    assert kind.console_url(sample).startswith("https://us-east-1.console.aws.amazon.com/")
    assert kind.sample.id in kind.console_url(sample)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_says_what_is_billed_in_every_state_that_it_calls_billed(kind: ResourceKind[Any]) -> None:
    states = kind.states
    assert not states.running & states.stopped
    assert states.unmeasured <= states.running | states.stopped
    assert states.running <= (states.billed or states.running)
    for state in states.billed:
        assert kind.billed_parts(_sample(kind, state))


def _sample(kind: ResourceKind[Any], state: str) -> Resource:
    return Resource(kind.id, kind.sample.id, kind.sample.arn, "", "111111111111", "us-east-1", state)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_an_action_declares_rights_within_its_permissions(action: Action) -> None:
    own = {*action.permissions, *action.read_permissions}
    declared = (*action.rights.narrowed, *action.rights.further)
    named = {right for statement in declared for right in actions_of(statement)}
    assert named | action.rights.rollback | set(action.rights.probes) <= own
    assert all(str(one["Sid"]).isalnum() for one in (*action.rights.narrowed, *action.rights.further))
    assert action.kinds <= set(KINDS)
    assert {bool(action.calls.dry_run_passed)} == {KINDS[kind].dry_run for kind in action.kinds}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_the_sample_of_an_action_makes_a_plan(action: Action) -> None:
    assert {step.id for step in _sample_plan(action).steps} <= set(action.procedure.steps)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_the_verifier_of_the_ledger_takes_every_call_that_leads_an_action_back(action: Action) -> None:
    plan = _sample_plan(action)
    assert _problems_of_rollback(plan, action.procedure.compensation(plan)) == []


@pytest.mark.parametrize(
    "action", [action for action in ACTIONS.values() if action.undo is not None], ids=lambda action: action.id
)
def test_the_verifier_of_the_ledger_takes_the_undo_of_an_action_and_what_leads_the_undo_back(action: Action) -> None:
    assert action.undo is not None
    act = _sample_plan(action)
    undo = _sample_undo(action, act)
    assert problem_of_undo(act.to_json(), undo.to_json(), action.sample.made) == ""
    assert problem_of_undo(act.to_json(), replace(undo, resource=replace(undo.resource, id="other")).to_json())
    assert _problems_of_rollback(undo, action.procedure.compensation(undo)) == []


@pytest.mark.parametrize(
    "action", [action for action in ACTIONS.values() if action.undo is not None], ids=lambda action: action.id
)
def test_the_plan_of_an_undo_is_the_same_once_a_request_has_held_its_parameters(action: Action) -> None:
    undo = _sample_undo(action, _sample_plan(action))
    held = TypeAdapter(_PARAMETERS).validate_json(json.dumps(dict(undo.parameters)))
    assert action.plan(undo.resource, held, {**action.sample.assumed, **action.sample.left}).hash == undo.hash
    assert replace(undo, parameters=held).hash == undo.hash
    assert all(not isinstance(one, str) or len(one) <= 256 for one in held.values())


def _sample_undo(action: Action, act: Plan) -> Plan:
    assert action.undo is not None
    left = {**action.sample.assumed, **action.sample.left}
    return action.plan(act.resource, action.undo.parameters(act, action.sample.made), left)


def test_a_call_that_leads_nothing_of_the_plan_back_is_found() -> None:
    plan = _sample_plan(ACTIONS["ec2_instance_stop"])
    foreign = PlanStep("undo", "ec2:TerminateInstances", {"InstanceIds": [plan.resource.id]})
    (problem,) = _problems_of_rollback(plan, (foreign,))
    assert "leads nothing of the plan back" in problem


def _sample_plan(action: Action) -> Plan:
    kind = KINDS[min(action.kinds)]
    resource = ResourceRef(kind.id, kind.sample.id, kind.sample.arn, "111111111111", "us-east-1")
    return action.plan(resource, action.sample.parameters, action.sample.assumed)


def _problems_of_rollback(plan: Plan, steps: Sequence[PlanStep]) -> list[str]:
    """Return what `finops audit verify` has against the calls among the steps, made after the act turned back."""
    records = [
        {"step": one.id, "detail": {"operation": one.operation, "parameters": dict(one.parameters), "back": True}}
        for one in steps
        if one.operation
    ]
    found = [problem_of_call(plan.to_json(), record, "uid", turned=True) for record in records]
    return [problem for problem in found if problem]
