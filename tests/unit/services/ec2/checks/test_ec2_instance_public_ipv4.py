"""ec2_instance_public_ipv4: an address that nobody can reach; one rule of a security group keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.errors import AwsDenied
from finops_operator.services.ec2.checks.ec2_instance_public_ipv4 import CHECK
from finops_operator.services.ec2.instance import KIND
from finops_operator.services.ec2.rules.open_groups import OPEN_GROUPS, open_groups

READ = frozenset({"read"})
PUBLIC: dict[str, Json] = {"public_ipv4": ["52.0.0.1"], "elastic": [False], "security_groups": ["sg-1", "sg-2"]}


def with_open(*groups: str) -> Bench:
    return Bench(KIND, answers={OPEN_GROUPS: READ | set(groups)})


JUDGED = with_open()


def changed(state: str = "running", **changes: Json) -> Any:
    return instance(state, tags=None, **{**PUBLIC, **changes})


def saved(one: Any) -> Decimal:
    now, then = JUDGED.cost(one).unrounded_monthly, JUDGED.found(CHECK, one).new_monthly_cost
    assert now is not None
    assert then is not None
    return now - then


def test_an_address_that_no_group_opens_is_found_with_what_it_costs() -> None:
    found = JUDGED.found(CHECK, changed())
    assert found.action == ""
    assert found.new_monthly_cost == JUDGED.cost(instance()).unrounded_monthly
    assert saved(changed()) == Decimal("3.65")  # 0.005 × 730


def test_an_elastic_address_beside_it_goes_on_costing() -> None:
    both = changed(public_ipv4=["52.0.0.1", "52.0.0.2"], elastic=[False, True])
    found = JUDGED.found(CHECK, both)
    assert found.evidence["automaticAddresses"] == 1
    assert saved(both) == Decimal("3.65")


def test_one_rule_of_one_of_its_groups_keeps_it() -> None:
    assert with_open("sg-3").found(CHECK, changed()).check == CHECK.id
    assert with_open("sg-2").reason(CHECK, changed()) == "a security group lets the internet in"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (changed(elastic=[True]), "it has no automatic public IPv4 address"),
        (changed(public_ipv4=[], elastic=[]), "it has no automatic public IPv4 address"),
        (changed(public_ipv4=None, elastic=None), "its public addresses are not known"),
        (changed(security_groups=None), "its security groups are not known"),
        (changed("stopped"), "it is stopped, and an automatic address is then given back"),
    ],
)
def test_what_has_none_or_is_not_known_is_left_alone(one: Any, why: str) -> None:
    assert JUDGED.reason(CHECK, one) == why


def test_without_an_answer_about_groups_nothing_is_found() -> None:
    assert Bench(KIND).reason(CHECK, changed()) == "what its security groups let in is not known"


# -- which groups let the internet in ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Groups:
    """A region with one security group, and perhaps a page that AWS does not give."""

    rules: list[Mapping[str, Any]] = field(default_factory=list)
    lost: bool = False
    account: str = "111122223333"
    region: str = "us-east-1"

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert (operation, parameters) == ("ec2:DescribeSecurityGroups", {"MaxResults": 1000})
        yield {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": self.rules}]}
        if self.lost:
            raise AwsDenied("no", operation=operation)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError(operation)


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, True),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "203.1.2.3/32"}]}, True),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "192.168.1.0/24"}]}, False),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/6"}]}, True),
        ({"PrefixListIds": [{"PrefixListId": "pl-1"}]}, True),
        ({"UserIdGroupPairs": [{"GroupId": "sg-9"}]}, False),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, False),
        ({}, False),
    ],
    ids=["all", "one address", "private", "wider than private", "prefix list", "group", "IPv6", "nothing"],
)
def test_a_group_is_open_by_its_ranges(rule: dict[str, Any], *, opened: bool) -> None:
    assert open_groups(Groups([rule])) == {"us-east-1": READ | ({"sg-1"} if opened else set())}


def test_half_a_listing_of_groups_is_no_answer() -> None:
    with pytest.raises(AwsDenied):
        open_groups(Groups(lost=True))


def test_the_question_is_asked_for_running_instances_with_a_public_address_alone() -> None:
    question = next(one for one in KIND.listing.questions if one.id == OPEN_GROUPS)
    nothing = JUDGED.facts(instance()).utilization
    assert question.needed(changed(), nothing)
    assert not question.needed(instance(), nothing)
    assert not question.needed(changed("stopped"), nothing)
