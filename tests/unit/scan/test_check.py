"""Settings of checks from a policy, and running them over a resource."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import facts_of, flat, instance, volume

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import Utilization
from finops.errors import InvalidInput
from finops_operator.scan.check import CheckSetting, enabled_checks, evaluate, required_window_days, wants_fine
from finops_operator.services.ec2.checks import ebs_volume_gp2, ebs_volume_io1, ebs_volume_unattached, ec2_instance_idle
from finops_operator.services.ec2.checks import ec2_instance_overprovisioned as overprovisioned

ALL = {
    check.id: check
    for check in (ec2_instance_idle.CHECK, overprovisioned.CHECK, ebs_volume_unattached.CHECK, ebs_volume_gp2.CHECK)
}


def refused(*settings: CheckSetting) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        enabled_checks(ALL, settings)
    return caught.value


def test_every_check_runs_with_its_defaults_unless_set_otherwise() -> None:
    enabled = enabled_checks(ALL, [])
    assert [item.check.id for item in enabled] == sorted(ALL)
    by_id = {item.check.id: item.parameters for item in enabled}
    assert by_id["ec2_instance_idle"] == {"maximumCpuPercent": 5, "maximumNetworkMegabytesPerDay": 5}


def test_a_policy_sets_single_parameters_and_switches_checks_off() -> None:
    enabled = enabled_checks(
        ALL,
        [
            CheckSetting("ec2_instance_idle", parameters={"maximumCpuPercent": 2.5}),
            CheckSetting("ebs_volume_gp2", enabled=False),
        ],
    )
    by_id = {item.check.id: item.parameters for item in enabled}
    assert "ebs_volume_gp2" not in by_id
    assert by_id["ec2_instance_idle"]["maximumCpuPercent"] == Decimal("2.5")
    assert by_id["ec2_instance_idle"]["maximumNetworkMegabytesPerDay"] == 5


def test_an_unknown_check_is_named_with_its_place_and_the_known_ones() -> None:
    error = refused(CheckSetting("ebs_volume_gp2"), CheckSetting("ec2_idle"))
    assert error.field == "spec.checks[1].id"
    assert error.code == "UnknownCheck"
    assert "ec2_instance_idle" in error.hint


def test_a_check_listed_twice_is_refused() -> None:
    assert refused(CheckSetting("ebs_volume_gp2"), CheckSetting("ebs_volume_gp2")).code == "DuplicateCheck"


@pytest.mark.parametrize("value", [-1, 0, 50.1, 1000, "Infinity", "NaN"])
def test_a_parameter_out_of_its_range_is_refused_with_the_range(value: float | str) -> None:
    error = refused(CheckSetting("ec2_instance_idle", parameters={"maximumCpuPercent": value}))
    assert error.field == "spec.checks[0].parameters.maximumCpuPercent"
    assert error.code == "ParameterOutOfRange"
    assert error.hint == "allowed: 0.1 to 50 percent"


@pytest.mark.parametrize("value", ["much", True, ""])
def test_a_parameter_that_is_no_number_is_refused(value: str | bool) -> None:
    error = refused(CheckSetting("ec2_instance_idle", parameters={"maximumCpuPercent": value}))
    assert error.code == "InvalidParameter"


def test_the_bounds_themselves_are_allowed() -> None:
    for value in (Decimal("0.1"), 50):
        enabled_checks(ALL, [CheckSetting("ec2_instance_idle", parameters={"maximumCpuPercent": value})])


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    error = refused(CheckSetting("ec2_instance_idle", parameters={"cpu": 1}))
    assert error.field == "spec.checks[0].parameters.cpu"
    assert error.hint == "known: maximumCpuPercent, maximumNetworkMegabytesPerDay"
    without = {ebs_volume_io1.ID: ebs_volume_io1.CHECK}
    with pytest.raises(InvalidInput) as refusal:
        enabled_checks(without, [CheckSetting("ebs_volume_io1", parameters={"cpu": 1})])
    assert refusal.value.hint == "known: none"


def test_a_disabled_check_still_has_its_parameters_checked() -> None:
    refused(CheckSetting("ec2_instance_idle", enabled=False, parameters={"maximumCpuPercent": 99}))


def test_only_the_checks_of_the_kind_judge_a_resource_and_each_gives_a_verdict() -> None:
    verdicts = evaluate(enabled_checks(ALL, []), facts_of(volume()))
    assert [(verdict.check, type(verdict)) for verdict in verdicts] == [
        ("ebs_volume_gp2", Finding),
        ("ebs_volume_unattached", NotRecommended),
    ]


def test_metrics_are_asked_for_as_far_back_as_the_checks_of_the_kind_need() -> None:
    assert required_window_days(enabled_checks(ALL, []), "ebs-volume", 14) == 32
    assert required_window_days(enabled_checks(ALL, []), "ec2-instance", 14) == 14
    longer = [CheckSetting("ebs_volume_unattached", parameters={"minimumUnattachedDays": "45.5"})]
    assert required_window_days(enabled_checks(ALL, longer), "ebs-volume", 14) == 46
    off = [CheckSetting("ebs_volume_unattached", enabled=False)]
    assert required_window_days(enabled_checks(ALL, off), "ebs-volume", 14) == 14
    assert required_window_days(enabled_checks(ALL, []), "ebs-volume", 60) == 60


def test_only_candidates_want_the_five_minute_picture() -> None:
    hourly = Utilization("i", metrics={"cpuPercent": flat(3)})
    assert wants_fine(enabled_checks(ALL, []), facts_of(instance(), hourly))
    assert not wants_fine(enabled_checks(ALL, []), facts_of(instance()))
    assert not wants_fine(enabled_checks(ALL, []), facts_of(volume(), hourly))
    off = [CheckSetting("ec2_instance_overprovisioned", enabled=False)]
    assert not wants_fine(enabled_checks(ALL, off), facts_of(instance(), hourly))
