"""How people write down what a policy shall be tried with, and how what is wrong with it is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.what_ifs import OWN, live_policy

from finops.crds.yaml_documents import MalformedYaml, lines_of
from finops.domain.parameter import ParameterSpec
from finops.errors import InvalidInput
from finops.store.what_if import KnownCheck
from finops_web.readings.what_ifs import (
    LONGEST_TEXT,
    Problem,
    as_yaml,
    differences,
    policy_with,
    problems_in,
    spec_in,
    with_checks,
    with_thresholds,
    written,
)

IDLE = KnownCheck(
    "ec2_instance_idle",
    "Idle instances",
    ("ec2-instance",),
    (
        ParameterSpec("maximumCpuPercent", "percent", Decimal(5), Decimal(1), Decimal(20), "CPU."),
        ParameterSpec("maximumNetwork", "MB", Decimal("0.5"), Decimal(0), Decimal(100), "Network."),
    ),
)
WHOLE = """\
apiVersion: finops.dev/v1alpha1
kind: ScanPolicy
metadata: {name: all, namespace: team-a}
spec:
  accounts:
    - name: production
  checks:
    - id: ec2_instance_idle
      parameters:
        maximumCpuPercent: 900000000000
"""
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def test_a_whole_policy_its_spec_and_what_stands_below_it_are_one_spec() -> None:
    below = spec_in(WHOLE)
    assert below["accounts"] == [{"name": "production"}]
    assert spec_in(as_yaml({"spec": below})) == below
    assert spec_in(as_yaml(below)) == below
    assert spec_in("kind: ScanPolicy") == {}
    assert spec_in("spec:") == {}


@pytest.mark.parametrize(
    "text",
    ["", "- a", "text", "a: 1\n---\nb: 2\n", "kind: AwsAccount\nspec: {}\n", "spec: [1]\n", "x" * (LONGEST_TEXT + 1)],
)
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        spec_in(text)


@pytest.mark.parametrize("text", [BOMB, "a: [", "a: 1\na: 2\n", "a: !!python/object:os.system {}\n", "a: " + "[" * 60])
def test_what_yaml_could_hide_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MalformedYaml) as refused:
        spec_in(text)
    (problem,) = problems_in(refused.value, text)
    assert problem.field.startswith("line ")
    assert problem.rule


def test_every_field_that_is_wrong_is_named_with_its_line() -> None:
    text = WHOLE + "        x y: 1\n  cadence: daily\n"
    with pytest.raises(InvalidInput) as refused:
        policy_with(live_policy(), spec_in(text))
    found = {one.field: one.line for one in problems_in(refused.value, text)}
    assert found["spec.cadence"] == 12
    assert found["spec.checks[0].parameters.maximumCpuPercent"] == 10
    bare = as_yaml(spec_in(text))
    found = {one.field: one.line for one in problems_in(refused.value, bare)}
    assert bare.splitlines()[found["spec.cadence"] - 1] == "cadence: daily"


def test_a_field_that_is_missing_has_the_line_of_what_it_would_stand_in() -> None:
    text = "customChecks:\n- id: ours\n  kind: ec2-instance\n"
    with pytest.raises(InvalidInput) as refused:
        policy_with(live_policy(), spec_in(text))
    assert {one.field: one.line for one in problems_in(refused.value, text)}["spec.customChecks[0].when"] == 2


def test_a_threshold_of_the_form_changes_that_check_alone() -> None:
    live = live_policy(
        checks=[
            {"id": "ebs_volume_idle", "enabled": False},
            {"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 3}},
        ]
    )
    values = {"maximumCpuPercent": "8.5", "maximumNetwork": "0.5", "of another check": "1"}

    spec = with_thresholds(live, IDLE, enabled=True, values=values)

    assert spec["checks"] == [
        {"id": "ebs_volume_idle", "enabled": False},
        {"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 8.5}},
    ]
    assert policy_with(live, spec).spec.checks[1].parameters == {"maximumCpuPercent": Decimal("8.5")}
    off = with_thresholds(live, IDLE, enabled=False, values={"maximumCpuPercent": "", "maximumNetwork": "1,000"})
    assert off["checks"][1] == {"id": "ec2_instance_idle", "enabled": False, "parameters": {"maximumNetwork": 1000}}


@pytest.mark.parametrize("text", ["five", "nan", "inf", "1e", "0x10"])
def test_a_threshold_that_is_no_number_is_named(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_thresholds(live_policy(), IDLE, enabled=True, values={"maximumCpuPercent": text})
    assert refused.value.field == "spec.checks.ec2_instance_idle.parameters.maximumCpuPercent"


def test_what_differs_is_shown_as_lines() -> None:
    live = live_policy(customChecks=[OWN])
    spec = with_checks(live, [{"id": "ec2_instance_idle", "enabled": False}])
    assert [one for one in differences(live, spec) if one[:1] in "+-"] == [
        "+checks:",
        "+- id: ec2_instance_idle",
        "+  enabled: false",
    ]
    assert differences(live, written(live)) == ()


SPECS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "most": {
        "regions": ["eu-west-1"],
        "customChecks": [OWN],
        "pricing": {"discountPercent": 12.5},
        "notify": {"slack": {"channel": "C0123456789", "minimumMonthlySavings": 7}},
        "checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 2.25}}],
    },
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_spec_that_is_shown_and_sent_back_says_the_same(spec: dict[str, Any]) -> None:
    live = live_policy(**spec)
    assert policy_with(live, spec_in(as_yaml({"spec": written(live)}))).spec == live.spec


@given(st.text(max_size=200))
def test_any_text_is_a_spec_or_is_refused(text: str) -> None:
    found: tuple[Problem, ...] | None = None
    try:
        policy_with(live_policy(), spec_in(text))
    except InvalidInput as error:
        found = problems_in(error, text)
    assert found is None or all(one.rule for one in found)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.lists(st.integers(), max_size=3), max_size=4))
def test_every_place_of_a_text_has_its_line(made: dict[str, list[int]]) -> None:
    text = as_yaml(made)
    rows = text.splitlines()
    for path, line in lines_of(text).items():
        assert path.partition("[")[0] in rows[line - 1] or rows[line - 1].strip().startswith("-")
