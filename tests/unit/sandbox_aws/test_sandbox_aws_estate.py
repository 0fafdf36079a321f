"""Estates: what is read, what is refused, and what the sample holds."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from finops_sandbox.aws.estate import SAMPLE_ESTATE, load_estate, resource_id
from finops_sandbox.aws.estate_fields import EstateError


def document(**instance: Any) -> dict[str, Any]:
    return {
        "accounts": {"1": {"name": "one"}},
        "resources": [
            {"account": "one", "region": "us-east-1", "instances": [{"name": "a", "type": "t3.small"} | instance]}
        ],
    }


def test_ids_follow_from_account_region_kind_and_name() -> None:
    one = resource_id("instance", "1", "us-east-1", "a")
    assert one == resource_id("instance", "1", "us-east-1", "a")
    assert one.startswith("i-")
    assert len(one) == len("i-") + 17
    others = {resource_id("instance", "2", "us-east-1", "a"), resource_id("volume", "1", "us-east-1", "a")}
    assert one not in others


def test_an_instance_has_a_root_volume_of_its_own_age_unless_set_otherwise() -> None:
    spec = load_estate(document(age="40d")).places[0].instances[0]
    assert [(one.name, one.size, one.volume_type, one.age) for one in spec.volumes] == [
        ("a/0", 20, "gp3", timedelta(days=40))
    ]


def test_a_count_makes_numbered_resources() -> None:
    names = [one.name for one in load_estate(document(count=3)).places[0].instances]
    assert names == ["a-1", "a-2", "a-3"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cpu": "sleepy"}, "sleepy"),
        ({"age": "old"}, "old"),
        ({"colour": "red"}, "colour"),
        ({"volumes": [{"flavour": "x"}]}, "flavour"),
    ],
)
def test_a_wrong_instance_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EstateError, match=message):
        load_estate(document(**change))


@pytest.mark.parametrize(
    ("estate", "message"),
    [
        ({}, "accounts"),
        ({"accounts": {"1": {}}, "colour": 1}, "colour"),
        ({"accounts": {"1": {"colour": 1}}}, "colour"),
        ({"accounts": {"1": {}}, "resources": [{"account": "2", "region": "x"}]}, "unknown account"),
        ({"accounts": {"1": {}}, "resources": [{"account": "1", "region": "x", "instances": [{"name": "a"}]}]}, "type"),
    ],
)
def test_a_wrong_estate_is_refused(estate: dict[str, Any], message: str) -> None:
    with pytest.raises(EstateError, match=message):
        load_estate(estate)


def test_a_missing_file_is_an_error_of_the_file_system() -> None:
    with pytest.raises(FileNotFoundError):
        load_estate(Path("/nonexistent/estate.yaml"))


def test_a_fault_may_name_account_and_instance() -> None:
    fault = {"kind": "capacity", "account": "one", "region": "us-east-1", "instance": "a", "notTypes": ["t3.small"]}
    loaded = load_estate(document() | {"faults": [fault]}).faults[0]
    assert loaded == {
        "kind": "capacity",
        "account": "1",
        "region": "us-east-1",
        "resource": resource_id("instance", "1", "us-east-1", "a"),
        "notTypes": ["t3.small"],
    }


def test_the_sample_has_two_accounts_three_regions_and_about_120_resources() -> None:
    estate = load_estate(SAMPLE_ESTATE)
    assert dict(estate.names) == {"111111111111": "production", "222222222222": "staging"}
    assert {place.region for place in estate.places} == {"us-east-1", "eu-central-1", "ap-southeast-2"}
    instances = [one for place in estate.places for one in place.instances]
    volumes = [one for place in estate.places for one in place.volumes]
    total = len(instances) + sum(len(one.volumes) for one in instances) + len(volumes)
    assert 110 <= total <= 140


def test_the_sample_has_a_case_of_every_check_and_their_counter_examples() -> None:
    estate = load_estate(SAMPLE_ESTATE)
    place = estate.places[0]
    instances = {one.name: one for one in place.instances}
    assert instances["old-intranet"].instance_type == "t2.large"
    assert (instances["old-intranet"].cpu, instances["old-intranet"].network) == ("idle", "quiet")
    assert (instances["api-oversized"].cpu, instances["api-oversized"].memory) == ("low", "memory_low")
    assert instances["ledger-memory-unknown"].memory == ""
    assert any(volume.volume_type == "gp2" and volume.size == 100 for volume in instances["orders-db"].volumes)
    volumes = {one.name: one for one in place.volumes}
    assert volumes["forgotten-data"].detached == timedelta(days=45)
    assert volumes["just-detached"].detached == timedelta(days=3)
    shapes = Counter(one.cpu for one in instances.values())
    assert {"idle", "low", "steady", "busy", "nightly_peak", "weekly", "spike", "gap", "just_launched"} <= set(shapes)
    tagged = [one.tags for one in instances.values()] + [one.tags for one in volumes.values()]
    tags = {key for one in tagged for key in one}
    assert {"finops.dev/ignore", "finops.dev/protected", "aws:autoscaling:groupName"} <= tags
    hostile = " ".join(instances["hostile-tags"].tags.values())
    assert "<script>" in hostile
    assert "\u202e" in hostile
    assert estate.faults[0]["resource"] == resource_id("instance", "111111111111", "us-east-1", "checkout-no-capacity")
