"""Checks that a policy brings: what they may be, what they find, what they leave alone."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from operator import add, mul, sub, truediv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import facts_of, flat, instance, summarize, volume
from tests.support.own_checks import catalog, own_check

from finops.crds.custom_check import CustomCheck
from finops.domain.price import Cost
from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops.domain.utilization import MetricSummary, Utilization
from finops.errors import InvalidInput
from finops_operator.plugins.check import Pictures, Settled
from finops_operator.scan.custom.checks import DOES_NOT_HOLD, custom_checks
from finops_operator.scan.custom.fields import fields_of
from finops_operator.scan.custom.language import InvalidExpression, Language, NotJudged

IDLE = "utilization.cpuPercent.maximum < 5 && cost.monthly > 100"
MACHINE = "i-0123456789abcdef0"
PAIR = Language(dict.fromkeys(("left", "right", "expected"), "double"))


def used(level: float) -> Utilization:
    return Utilization(MACHINE, metrics={"cpuPercent": flat(level)})


def refused(spec: CustomCheck) -> InvalidInput:
    good = CustomCheck(id="good", kind="ec2-instance", when="true", message="Good.")
    with pytest.raises(InvalidInput) as caught:
        custom_checks([good, spec], catalog())
    return caught.value


def reason(verdict: Finding | NotRecommended) -> str:
    assert isinstance(verdict, NotRecommended)
    return verdict.reason


def test_a_finding_holds_the_rule_the_message_the_figures_and_what_was_measured() -> None:
    found = own_check(IDLE, severity="High").evaluate(facts_of(instance(), used(3.0)), {})
    assert isinstance(found, Finding)
    assert (found.check, found.action, found.new_monthly_cost) == ("our_rule", "", None)
    assert found.summary == "It breaks our rule."
    assert found.evidence["rule"] == IDLE
    assert found.evidence["severity"] == "High"
    assert found.evidence["cost.monthly"] == "280.32"
    assert found.evidence["utilization.cpuPercent.maximum"] == "3"
    assert found.evidence["coveragePercent"] == "100"
    assert [fact.label for fact in found.facts][:2] == ["Rule", "Severity"]
    assert found.facts[-1].label == "Measured"


def test_texts_that_aws_holds_are_not_in_the_evidence() -> None:
    hostile = instance(tags={"env": "<!channel>"})
    found = own_check("tags.env != '' && resource.name != ''").evaluate(facts_of(hostile), {})
    assert isinstance(found, Finding)
    assert "<!channel>" not in str(found.evidence)
    assert "<!channel>" not in str(found.facts)


def test_one_point_above_the_threshold_breaks_it() -> None:
    points = [3.0] * 335
    spike = Utilization(MACHINE, metrics={"cpuPercent": summarize([*points, 5.0])})
    assert isinstance(own_check(IDLE).evaluate(facts_of(instance(), used(3.0)), {}), Finding)
    assert reason(own_check(IDLE).evaluate(facts_of(instance(), spike), {})) == DOES_NOT_HOLD


def test_a_metric_that_is_missing_is_insufficient_data() -> None:
    facts = facts_of(instance(), Utilization(MACHINE, unknown={"cpuPercent": "Throttled"}))
    assert reason(own_check(IDLE).evaluate(facts, {})) == "insufficient data: CPU is unknown (Throttled)"


def test_a_metric_with_too_few_points_is_insufficient_data() -> None:
    thin = Utilization(MACHINE, metrics={"cpuPercent": summarize([3.0] * 200, expected=336)})
    assert "covers 59.5 %" in reason(own_check(IDLE).evaluate(facts_of(instance(), thin), {}))


def test_a_price_that_is_missing_is_insufficient_data_even_where_the_rest_is_true() -> None:
    facts = replace(facts_of(instance(), used(3.0)), cost=Cost(None, None, (), ("instance_hour: no price for it",)))
    for when in (IDLE, "utilization.cpuPercent.maximum < 5 || cost.monthly > 100", "cost.annual > 0 || true"):
        verdict = reason(own_check(when).evaluate(facts, {}))
        assert verdict == "insufficient data: the cost is unknown (instance hour: no price for it)"


def test_what_is_false_whatever_the_unknown_is_does_not_hold() -> None:
    facts = facts_of(instance("stopped"))
    verdict = own_check("resource.state == 'running' && utilization.cpuPercent.maximum < 5").evaluate(facts, {})
    assert reason(verdict) == DOES_NOT_HOLD


def test_a_figure_that_a_report_does_not_hold_is_unknown() -> None:
    lost = replace(flat(3.0), p95=float("nan"))
    facts = facts_of(instance(), Utilization(MACHINE, metrics={"cpuPercent": lost}))
    verdict = own_check("utilization.cpuPercent.p95 < 5").evaluate(facts, {})
    assert reason(verdict) == "insufficient data: p95 of cpuPercent is unknown"


def test_the_hourly_picture_counts_also_where_another_check_asked_for_the_finer_one() -> None:
    both = Utilization(MACHINE, {"cpuPercent": flat(9.0)}, fine={"cpuPercent": flat(1.0, period=300)})
    found = own_check("utilization.cpuPercent.p90 > 8").evaluate(facts_of(instance(), both), {})
    assert isinstance(found, Finding)


@pytest.mark.parametrize(
    "when",
    [
        "cost.monthly / double(attributes.public_ipv4.size()) > 100.0",
        "!(cost.monthly / double(attributes.public_ipv4.size()) == 3.0)",
        "cost.monthly < double('inf')",
        "!(cost.monthly < double(tags.budget))",
        "cost.monthly * 1e308 > 1.0",
        "cost.monthly + 1.7e308 + 1.7e308 > 1.0",
        "0.0 - 1.7e308 - 1.7e308 < 1.0",
        "[0.0].exists(none, cost.monthly / none > 1.0)",
    ],
)
def test_a_calculation_without_a_finite_number_is_insufficient_data(when: str) -> None:
    found = own_check(when).evaluate(facts_of(instance(tags={"budget": "nan"})), {})
    assert reason(found).startswith("insufficient data: ")


def test_a_part_that_fails_decides_nothing_beside_one_that_decides_alone() -> None:
    facts = facts_of(instance(tags={"env": "dev"}))
    assert isinstance(own_check("cost.monthly > 100.0 || int(tags.env) > 3").evaluate(facts, {}), Finding)
    assert "insufficient data" in reason(own_check("cost.monthly > 500.0 || int(tags.env) > 3").evaluate(facts, {}))


def test_a_calculation_with_a_value_of_no_known_type_is_refused_with_its_place() -> None:
    language = Language({"part": "map(string, dyn)"})
    with pytest.raises(InvalidExpression, match=r"line 2, column 8: .*type is not known") as caught:
        language.compile("true &&\npart.a / part.b > 1")
    assert caught.value.hint == "write double(value)"
    assert language.compile("double(part.a) / double(part.b) > 1.0").holds({"part": {"a": 3, "b": 2.0}})


def test_a_number_that_no_double_holds_is_refused() -> None:
    with pytest.raises(InvalidExpression, match="too large"):
        PAIR.compile("left < 1e999")


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_calculations_give_what_ieee_754_gives_or_fail(left: float, right: float) -> None:
    for sign, calculate in (("/", truediv), ("*", mul), ("+", add), ("-", sub)):
        condition = PAIR.compile(f"left {sign} right == expected")
        try:
            expected = calculate(left, right)
        except ZeroDivisionError:
            expected = math.inf
        if math.isfinite(expected):
            assert condition.holds({"left": left, "right": right, "expected": expected})
        else:
            with pytest.raises(NotJudged):
                condition.holds({"left": left, "right": right, "expected": 0.0})


def test_a_text_that_is_no_unicode_is_not_judged() -> None:
    facts = facts_of(instance(tags={"env": "\ud800"}))
    assert "cannot be read" in reason(own_check("tags.env == 'dev'").evaluate(facts, {}))


def test_objects_among_the_facts_are_maps() -> None:
    attached = volume(attachments=[{"instance_id": MACHINE, "device": "/dev/sdf", "state": "attached"}])
    check = own_check("attributes.attachments.exists(one, one.device == '/dev/sdf')", kind="ebs-volume")
    assert isinstance(check.evaluate(facts_of(attached), {}), Finding)


def test_an_action_brings_its_own_properties_and_what_remains_to_pay() -> None:
    check = own_check("resource.state == 'running'", action="ec2_instance_stop")
    assert (check.action, check.action_type, check.effort) == ("ec2_instance_stop", ActionType.STOP, Effort.LOW)
    found = check.evaluate(facts_of(instance()), {})
    assert isinstance(found, Finding)
    assert (found.action, found.new_monthly_cost) == ("ec2_instance_stop", Decimal(0))


def test_a_deletion_still_costs_its_snapshot() -> None:
    check = own_check("resource.state == 'available'", kind="ebs-volume", action="ebs_volume_delete")
    found = check.evaluate(facts_of(volume("available")), {})
    assert isinstance(found, Finding)
    assert found.new_monthly_cost == Decimal(100) * Decimal("0.05")
    assert check.destructive


def test_advice_without_an_action_is_a_review() -> None:
    assert own_check("true").action_type is ActionType.REVIEW


@pytest.mark.parametrize(
    ("changes", "field", "hint"),
    [
        ({"id": "ec2_instance_idle"}, "id", "choose another id"),
        ({"kind": "ec2-instanc"}, "kind", "did you mean ec2-instance?"),
        ({"action": "ebs_volume_delete"}, "action", "possible: ec2_instance_start, ec2_instance_stop"),
        ({"action": "ec2_instance_resize"}, "action", "possible: ec2_instance_start, ec2_instance_stop"),
        ({"kind": "s3-bucket", "action": "ec2_instance_stop"}, "action", "possible: none; leave action out"),
        ({"when": "resource.stat == ''"}, "when", "did you mean resource.state?"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_field(changes: dict[str, str], field: str, hint: str) -> None:
    spec = {"id": "ours", "kind": "ec2-instance", "when": "true", "message": "Ours.", **changes}
    error = refused(CustomCheck.model_validate(spec))
    assert error.field == f"spec.customChecks[1].{field}"
    assert error.hint == hint


def test_every_field_of_every_kind_has_a_type_that_the_language_knows() -> None:
    for kind in catalog().kinds.values():
        fields = fields_of(kind)
        language = Language({name: field.type for name, field in fields.items()})
        for name, field in fields.items():
            assert language.compile(f"{name} == {name}").names == (name,)
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]{0,63}", name), field


def test_names_are_found_between_comments_quotes_and_spaces() -> None:
    language = Language({"cost.monthly": "double", "tags": "map(string, string)", "resource.name": "string"})
    text = "// resource.name\ncost . monthly > 1.0 && tags.`a//b` != '\"cost\"' && r'\\' != resource.name"
    with pytest.raises(InvalidExpression):
        language.compile(text)
    quoted = "// resource.name\ncost . monthly > 1.0 && tags['a//b'] != '\"resource.name'"
    assert language.compile(quoted).names == ("cost.monthly", "tags")


def test_a_loop_behind_what_resembles_a_comment_is_still_seen() -> None:
    language = Language({"tags": "map(string, string)"})
    with pytest.raises(InvalidExpression, match="stands inside another loop"):
        language.compile("tags.all(a, tags['//'] == a || tags.all(b, a == b))")


_SIGNS = [*"()[].,! \n<+?:", "//", "&&", "=="]
_WORDS = [
    "tags",
    "cost.monthly",
    "1",
    "2.5",
    "'a'",
    '"b"',
    "r'c'",
    "`d`",
    "all",
    "exists",
    "map",
    "matches",
    "has",
    "in",
]
_PIECES = st.sampled_from([*_SIGNS, *_WORDS])


@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=60).filter(lambda text: text.isprintable()))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    language = Language({"tags": "map(string, string)", "cost.monthly": "double"})
    try:
        condition = language.compile(text)
    except InvalidExpression:
        return
    with suppress(NotJudged):
        assert condition.holds({"tags": {"a": "b"}, "cost.monthly": 2.0}) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "signs"),
    [
        ("'^(m4|m5)[.]'", 9),
        ("r'\\d{12}-x'", 14),
        ("'\\\\w{2,30}'", 30),
        ("'.*'", 9),
        ("r'(?i)^[a-z]$'", 14),
        ("r'[^a]{4}'", 32),
        ("r'(?si)\\w{4}'", 37),
        ("r'[a\\W]{4}'", 32),
        ("'[[:^alpha:]]{4}'", 32),
    ],
)
def test_the_signs_of_a_pattern_are_counted_by_what_each_costs(pattern: str, signs: int) -> None:
    language = Language({"resource.name": "string"})
    language.compile(f"resource.name.matches({pattern})")
    fill = "a" * (65 - signs)
    with pytest.raises(InvalidExpression, match="the patterns have 65 signs"):
        language.compile(f"resource.name.matches({pattern}) && resource.name.matches('{fill}')")


@pytest.mark.parametrize("pattern", [r"'\x5cpL'", r"'a\x7b32}'", r"'\d'", r"r'\pL'", r"r'[\PN]'", "'(a|b){2}'"])
def test_a_pattern_cannot_hide_what_it_costs(pattern: str) -> None:
    with pytest.raises(InvalidExpression, match=r"pattern|Syntax error"):
        Language({"resource.name": "string"}).compile(f"resource.name.matches({pattern})")


def pictures(least: MetricSummary, most: MetricSummary) -> Pictures[Any]:
    ends = (Utilization(MACHINE, metrics={"cpuPercent": one}) for one in (most, least, most))
    days, lower, upper = (facts_of(instance(), one) for one in ends)
    return Pictures(days, lower, upper)


def test_a_condition_without_a_metric_leaves_nothing_open() -> None:
    check = own_check("'env' in tags && cost.monthly > 100")
    assert check.settled_by_days(pictures(flat(1), flat(9)), {}) is Settled.BY_DAYS


def test_a_condition_with_a_metric_is_open_between_two_ends_and_not_where_hours_are_known() -> None:
    check, hours = own_check(IDLE), flat(3)
    assert check.settled_by_days(pictures(flat(1), flat(9)), {}) is Settled.OPEN
    assert check.settled_by_days(pictures(hours, hours), {}) is Settled.BY_DAYS


def test_a_condition_with_a_metric_that_is_not_there_yet_is_open() -> None:
    check, hours = own_check("utilization.memoryPercent.maximum < 5.0 && utilization.cpuPercent.maximum < 5.0"), flat(3)
    assert check.settled_by_days(pictures(hours, hours), {}) is Settled.OPEN


def test_a_start_costs_more_and_is_no_saving_that_a_price_alone_keeps_unknown() -> None:
    check = own_check("resource.state == 'stopped'", action="ec2_instance_start")
    found = check.evaluate(facts_of(instance(state="stopped")), {})
    assert isinstance(found, Finding)
    assert found.new_monthly_cost == Decimal("280.32")
    assert not found.saving_knowable
    assert check.saving_unknown


@pytest.mark.parametrize("action", sorted(catalog().actions))
def test_a_policy_s_own_check_can_recommend_every_act_that_needs_no_parameter(action: str) -> None:
    declared = catalog().actions[action]
    kind = min(declared.kinds)
    needs_a_parameter = bool(declared.sample.parameters)
    spec = CustomCheck(id="ours", kind=kind, when="true", message="Ours.", action=action)
    if needs_a_parameter or action in NOT_WITHOUT_A_CHECK:
        with pytest.raises(InvalidInput):
            custom_checks([spec], catalog())
    else:
        assert custom_checks([spec], catalog())["ours"].action == action


NOT_WITHOUT_A_CHECK = {"ebs_volume_detach_delete"}
"""A check of the release has to judge whether nobody uses the instance that has the volume."""


def test_what_to_write_instead_of_an_unknown_name_is_said_once() -> None:
    error = refused(CustomCheck(id="ours", kind="ec2-instance", when="resource.stat == ''", message="Ours."))
    assert str(error).count("did you mean") == 1
    assert "did you mean" not in error.message
