"""A hundred conditions: fifty that are judged as said, fifty that are refused with place and reason.

Every valid one is judged for the same resource: an m5.2xlarge on Linux in us-east-1 that costs 280.32 USD a month, runs
since 400 days, has the tags env=dev and team=web, and whose CPU was at 3 % for 14 days. Nothing else was measured.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from tests.support.facts import facts_of, flat, instance
from tests.support.own_checks import own_check

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import Utilization
from finops.errors import InvalidInput
from finops_operator.plugins.check import Facts
from finops_operator.scan.custom.checks import DOES_NOT_HOLD, INSUFFICIENT

FOUND, NOT_FOUND, UNKNOWN = "found", "not found", "unknown"
LONG_LIST = "[" + ", ".join(str(number) for number in range(200)) + "]"

VALID = [
    ("true", FOUND),
    ("false", NOT_FOUND),
    ("resource.state == 'running'", FOUND),
    ('resource.state == "stopped"', NOT_FOUND),
    ("resource.region in ['us-east-1', 'eu-west-1']", FOUND),
    ("!(resource.region in ['us-east-1', 'eu-west-1'])", NOT_FOUND),
    ("resource.account == '111122223333' && resource.name != ''", FOUND),
    ("resource.id.startsWith('i-') && resource.arn.endsWith(resource.id)", FOUND),
    ("now - resource.created > duration('2160h')", FOUND),
    ("resource.created > timestamp('2026-01-01T00:00:00Z')", NOT_FOUND),
    ("resource.created.getFullYear() < 2026", FOUND),
    ("now.getDayOfWeek() == 2", FOUND),
    ("attributes.instance_type == 'm5.2xlarge'", FOUND),
    ("attributes.instance_type.startsWith('t2.')", NOT_FOUND),
    ("attributes.instance_type.matches('^(m4|m5|c4|c5)[.]')", FOUND),
    ("attributes.instance_type.matches(r'^m\\d{1,2}\\.\\w+$')", FOUND),
    ("attributes.instance_type.contains('metal') || attributes.tenancy == 'host'", NOT_FOUND),
    ("attributes.instance_type.size() == 10", FOUND),
    ("attributes.ena_support", FOUND),
    ("!attributes.ena_support", NOT_FOUND),
    ("attributes.network_interface_count > 1", NOT_FOUND),
    ("attributes.volume_ids.size() == 1", FOUND),
    ("attributes.volume_ids.exists(volume, volume.startsWith('vol-0a'))", FOUND),
    ("attributes.public_ipv4.size() > 0", NOT_FOUND),
    ("attributes.elastic.all(one, one)", FOUND),
    ("attributes.image_id == 'ami-0123456789abcdef0'", UNKNOWN),
    ("attributes.ebs_optimized", UNKNOWN),
    ("cost.monthly > 100", FOUND),
    ("cost.monthly > 100.0 && cost.monthly < 300.5", FOUND),
    ("100 < cost.monthly", FOUND),
    ("cost.annual >= 3363.84", FOUND),
    ("cost.hourly * 24.0 * 30.0 > 276.0", FOUND),
    ("cost.monthly / double(attributes.network_interface_count) > 1000.0", NOT_FOUND),
    ("utilization.cpuPercent.maximum < 5", FOUND),
    ("utilization.cpuPercent.p99_5 < 5.0 && utilization.cpuPercent.average < 4.0", FOUND),
    ("utilization.cpuPercent.maximum >= 5.0", NOT_FOUND),
    ("utilization.cpuPercent.lowest == 3.0", FOUND),
    ("utilization.memoryPercent.p95 < 40.0", UNKNOWN),
    ("utilization.networkInBytes.total < 1000000.0", UNKNOWN),
    ("cost.monthly > 100.0 || utilization.memoryPercent.maximum < 40.0", UNKNOWN),
    ("cost.monthly > 1000.0 && utilization.memoryPercent.maximum < 40.0", NOT_FOUND),
    ("utilization.memoryPercent.maximum < 40.0 ? true : true", UNKNOWN),
    ("tags['env'] == 'dev' && tags.team == 'web'", FOUND),
    ("!('owner' in tags)", FOUND),
    ("has(tags.owner) && tags.owner == 'nobody'", NOT_FOUND),
    ("tags.owner == 'nobody'", UNKNOWN),
    ("tags.exists(key, key.matches('(?i)^ENV$') && tags[key] in ['dev', 'test'])", FOUND),
    ("// idle in development\ntags.env == 'dev' &&\n  utilization.cpuPercent.maximum < 5.0", FOUND),
    (f"{LONG_LIST}.exists(number, number == 199)", FOUND),
    (f"{LONG_LIST}.filter(number, number > 10).all(number, number < 150) || tags.size() > 50", NOT_FOUND),
]

FOUR = ", ".join(["1"] * 4)
INVALID = [
    # It cannot be read.
    ("cost.monthly >", "line 1, column 15: Syntax error"),
    ("cost.monthly > 100.0 and true", "line 1, column 22: Syntax error"),
    ("(cost.monthly > 100.0", "line 1, column 22: Syntax error"),
    ("cost.monthly = 100.0", "column 14: Syntax error"),
    ("resource.state == 'running", "line 1, column 19: Syntax error"),
    ("true\n&& cost.monthly >> 1", "line 2, column 18: Syntax error"),
    ("if cost.monthly > 1 then true", "line 1, column 1: reserved identifier: if"),
    (" ", "Syntax error"),
    ("resource.state == '''running'''", "column 19: a string in three quotes"),
    # It names what is not there.
    ("attributes.instance_typ == 'm5.large'", "column 11: there is no attributes.instance_typ"),
    ("attributes.volume_type == 'gp2'", "there is no attributes.volume_type"),
    ("utilization.cpuPercent.p98 < 5.0", "there is no utilization.cpuPercent.p98"),
    ("utilization.cpuPercent.total < 5.0", "there is no utilization.cpuPercent.total"),
    ("utilization.cpu.maximum < 5.0", "there is no utilization.cpu.maximum"),
    ("utilization.cpuPercent < 5.0", "there is no utilization.cpuPercent"),
    ("cost.daily > 1.0", "there is no cost.daily"),
    ("true &&\n\n   cost.monthli > 1.0", "line 3, column 8: there is no cost.monthli"),
    ("monthlyCost > 1.0", "column 1: there is no monthlyCost"),
    ("resource.owner == ''", "there is no resource.owner"),
    ("tag['env'] == 'dev'", "column 1: there is no tag"),
    ("resource.state.lower() == 'running'", "there is no lower"),
    ("__import__('os').system('id') == 0", "there is no"),
    ("env('HOME') == ''", "there is no env"),
    ("dyn(cost.monthly) == 'much'", "there is no dyn"),
    ("type(cost.monthly) == double", "there is no type"),
    # Its types do not fit.
    ("cost.monthly > '100'", "column 14: found no matching overload for '_>_' applied to '(double, string)'"),
    ("cost.monthly == 100", "column 14: found no matching overload for '_==_' applied to '(double, int)'"),
    ("cost.monthly * 12 > 1.0", "found no matching overload for '_*_' applied to '(double, int)'"),
    ("attributes.instance_type == 3", "column 26: found no matching overload"),
    ("attributes.network_interface_count == 'one'", "'(int, string)'"),
    ("attributes.ena_support == 'true'", "'(bool, string)'"),
    ("attributes.volume_ids == 'vol-0'", "'(list(string), string)'"),
    ("attributes.image_id == null", "'(string, null_type)'"),
    ("tags.env == true", "'(string, bool)'"),
    ("tags.env.name == 'dev'", "cannot be the operand of a select operation"),
    ("now - resource.created > 90", "found no matching overload for '_>_'"),
    ("cost.monthly", "the result is of type double, not bool"),
    ("resource.state", "the result is of type string, not bool"),
    ("cost.monthly && true", "found no matching overload for '_&&_'"),
    ("has(attributes.ebs_optimized)", "column 1: has() is for tags"),
    # It could take long.
    (f"{'(' * 40}true{')' * 40}", "nested too deeply"),
    (f"['x']{'.map(text, text + text + text + text)' * 14}.size() > 0", "column 7: map() is not available"),
    (f"[{FOUR}].all(a, [{FOUR}].all(b, [{FOUR}].all(c, a + b + c > 0)))", "all stands inside another loop"),
    (
        "tags.all(a, tags.all(b, tags.all(c, tags[a] != tags[b] || a == c)))",
        "column 18: all stands inside another loop",
    ),
    ("tags.exists(key, key.matches('(?i)\\\\pL{32}'))", "a pattern names a class of Unicode"),
    ("attributes.volume_ids.exists(a, (true && attributes.volume_ids.exists(b, a == b)))", "exists stands inside"),
    (
        "resource.name.matches('a{1000}a{1000}a{1000}')",
        "column 23: the patterns have 3000 signs together, 64 are allowed",
    ),
    ("resource.name.matches('((x{9}){9}){9}')", "column 23: a pattern counts a group"),
    (f"resource.name.matches('{'(a|b)*' * 20}')", "signs together, 64 are allowed"),
    ("resource.name.matches(resource.arn)", "column 15: a pattern must be a string literal"),
]


def seen() -> Facts[Any]:
    measured = Utilization("i-0123456789abcdef0", metrics={"cpuPercent": flat(3.0)})
    return facts_of(instance(tags={"env": "dev", "team": "web"}), measured)


def test_there_are_fifty_of_each() -> None:
    assert len({text for text, _ in VALID}) == 50
    assert len({text for text, _ in INVALID}) == 50


@pytest.mark.parametrize(("when", "expected"), VALID)
def test_a_valid_condition_is_judged_as_it_says(when: str, expected: str) -> None:
    verdict = own_check(when).evaluate(seen(), {})
    if expected == FOUND:
        assert isinstance(verdict, Finding)
        return
    assert isinstance(verdict, NotRecommended)
    assert verdict.reason.startswith(INSUFFICIENT if expected == UNKNOWN else DOES_NOT_HOLD)


@pytest.mark.parametrize(("when", "reason"), INVALID)
def test_an_invalid_condition_is_refused_with_its_place_and_the_reason(when: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        own_check(when)
    assert refused.value.field == "spec.customChecks[0].when"
    assert re.match(r"line \d+, column \d+: ", refused.value.message)
    assert reason in refused.value.message


def test_no_condition_that_is_taken_runs_for_long() -> None:
    facts = seen()
    checks = [own_check(when) for when, _ in VALID]
    begun = time.thread_time()
    for one in checks:
        one.evaluate(facts, {})
    assert time.thread_time() - begun < 0.05


def test_a_condition_that_is_refused_is_refused_at_once() -> None:
    begun = time.thread_time()
    for when, _ in INVALID:
        with pytest.raises(InvalidInput):
            own_check(when)
    assert time.thread_time() - begun < 5
