"""An act in words: every action has them, for every step, and whatever is too long is cut and never refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tests.support.action_cases import INSTANCE, VOLUME, instance_with, volume_with
from tests.support.scan_samples import recommendation

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import EvidenceFact, PerformanceRisk, ResourceRef
from finops.domain.resource import Resource
from finops.domain.tags import owner_of
from finops_operator.plugins.action import Action
from finops_operator.plugins.loaded import load_actions, load_kinds
from finops_operator.requests.presenting import in_words
from finops_operator.rules.candidates import PresentedAct

ACTIONS = load_actions()
KINDS = load_kinds()
PARAMETERS: dict[str, dict[str, Any]] = {
    "ec2_instance_resize": {"instanceType": "m5.large"},
    "ebs_volume_detach_delete": {"instanceId": "i-0123456789abcdef0", "device": "/dev/sdf"},
    "ebs_volume_modify": {"volumeType": "gp3", "iops": 3000, "throughput": 125},
}
FINGERPRINT = {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0", "volumeType": "gp2"}


def case(action: Action) -> tuple[ResourceRef, Observation, Plan]:
    kind = KINDS[min(action.kinds)]
    if kind.service != "ec2":
        resource = ResourceRef(kind.id, kind.sample.id, kind.sample.arn, "111111111111", "us-east-1")
        plan = action.plan(resource, action.sample.parameters, action.sample.assumed)
        return resource, Observation(exists=True, facts=dict(action.sample.assumed)), plan
    about_instance = "ec2-instance" in action.kinds
    resource = INSTANCE if about_instance else VOLUME
    plan = action.plan(resource, PARAMETERS.get(action.id, {}), FINGERPRINT)
    return resource, instance_with({}) if about_instance else volume_with({}), plan


def presented(action: Action, observed: Observation | None = None, **changes: Any) -> PresentedAct:
    resource, observation, plan = case(action)
    item = recommendation(resource=resource, parameters=dict(plan.parameters), **changes)
    return in_words(KINDS[resource.kind], action, item, observed or observation, plan)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_every_action_says_what_it_does_in_whole_sentences(action: Action) -> None:
    shown = presented(action).presentation
    assert shown.verb[:1].isupper()
    assert " " not in shown.verb
    for sentence in (shown.consequence, shown.undo, *shown.warnings):
        assert sentence[:1].isupper()
        assert sentence.endswith(".")
    assert not shown.downtime.endswith(".")
    assert shown.console_url.startswith("https://us-east-1.console.aws.amazon.com/")


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_every_step_of_the_plan_and_of_the_rollback_has_a_title(action: Action) -> None:
    _, _, plan = case(action)
    words = presented(action)
    assert {step.id for step in plan.steps} <= set(words.steps)
    rollback = [step.id for step in action.procedure.compensation(plan)]
    assert [step.id for step in words.presentation.rollback] == rollback


def test_a_resize_says_figures_from_and_to_and_what_differs_in_the_platform() -> None:
    types = {
        "type": {
            "VCpuInfo": {"DefaultVCpus": 8},
            "MemoryInfo": {"SizeInMiB": 32768},
            "Hypervisor": "xen",
            "ProcessorInfo": {"Manufacturer": "Intel", "SupportedArchitectures": ["x86_64"]},
            "NetworkInfo": {"EnaSupport": "supported"},
            "EbsInfo": {"NvmeSupport": "unsupported"},
            "InstanceStorageSupported": False,
            "BurstablePerformanceSupported": False,
        },
        "target": {
            "VCpuInfo": {"DefaultVCpus": 4},
            "MemoryInfo": {"SizeInMiB": 16384},
            "Hypervisor": "nitro",
            "ProcessorInfo": {"Manufacturer": "AMD", "SupportedArchitectures": ["x86_64"]},
            "NetworkInfo": {"EnaSupport": "required"},
            "EbsInfo": {"NvmeSupport": "required"},
            "InstanceStorageSupported": False,
            "BurstablePerformanceSupported": True,
        },
    }
    action = ACTIONS["ec2_instance_resize"]
    _, _, plan = case(action)
    words = action.words(instance_with(types), plan.parameters, plan)
    assert (words.target, words.change) == ("m5.large", "m5.xlarge → m5.large: 8 → 4 vCPU, 32 → 16 GiB")
    assert [(fact.label, fact.value) for fact in words.facts] == [
        ("Processor", "Intel → AMD"),
        ("Hypervisor", "Xen → Nitro"),
        ("Network interface", "ENA possible → ENA"),
        ("Disk interface", "no NVMe → NVMe"),
        ("CPU performance", "full, all the time → burstable, with CPU credits"),
    ]
    assert words.undo.startswith("If the start fails, it returns to m5.xlarge by itself.")


def test_a_stopped_instance_is_resized_without_downtime() -> None:
    action = ACTIONS["ec2_instance_resize"]
    plan = action.plan(INSTANCE, {"instanceType": "m5.large"}, {**FINGERPRINT, "state": "stopped"})
    words = action.words(instance_with({"state": "stopped"}), plan.parameters, plan)
    assert words.downtime == "None: it is stopped"
    assert words.consequence == "It is changed and stays stopped."


def test_figures_that_aws_does_not_give_are_left_out() -> None:
    action = ACTIONS["ec2_instance_resize"]
    _, _, plan = case(action)
    words = action.words(instance_with({"type": None, "target": None}), plan.parameters, plan)
    assert (words.change, words.facts) == ("m5.xlarge → m5.large", ())


def test_the_evidence_is_that_of_the_check_and_then_of_the_action() -> None:
    facts = (EvidenceFact("CPU", "3 %"),)
    shown = presented(
        ACTIONS["ec2_instance_stop"],
        facts=facts,
        expectation="Expected CPU about 9 %.",
        performance_risk=PerformanceRisk.VERY_LOW,
    ).presentation
    assert [(fact.label, fact.value) for fact in shown.evidence] == [("CPU", "3 %")]
    assert (shown.expectation, shown.performance_risk) == ("Expected CPU about 9 %.", "VeryLow")


def test_a_fact_that_the_act_observed_takes_the_place_of_the_check_s() -> None:
    facts = (EvidenceFact("CPU", "3 %"), EvidenceFact("Processor", "Intel → AWS"))
    observed = instance_with(
        {
            "type": {"ProcessorInfo": {"Manufacturer": "Intel"}},
            "target": {"ProcessorInfo": {"Manufacturer": "AMD"}},
        }
    )
    shown = presented(ACTIONS["ec2_instance_resize"], observed, facts=facts).presentation
    assert [(fact.label, fact.value) for fact in shown.evidence] == [("CPU", "3 %"), ("Processor", "Intel → AMD")]


def test_what_is_too_long_or_too_much_is_cut() -> None:
    facts = tuple(EvidenceFact("l" * 100, "v" * 300) for _ in range(50))
    shown = presented(ACTIONS["ec2_instance_stop"], facts=facts, expectation="e" * 400).presentation
    assert len(shown.evidence) == 30
    assert (len(shown.evidence[0].label), len(shown.evidence[0].value)) == (80, 200)
    assert shown.expectation == "e" * 299 + "…"


def test_a_console_address_that_a_request_cannot_hold_is_left_out() -> None:
    action = ACTIONS["ec2_instance_stop"]
    resource, observation, plan = case(action)
    for address in ("http://console", "https://" + "x" * 2000, "https://ü"):
        kind = replace(KINDS[resource.kind], console_url=partial(_always, address))
        words = in_words(kind, action, recommendation(resource=resource), observation, plan)
        assert words.presentation.console_url == ""


def _always(address: str, _resource: Resource) -> str:
    return address


def test_the_owner_is_read_from_the_usual_tags() -> None:
    assert owner_of({"Team": "web", "OWNER": " ", "contact": "x"}) == "web"
    assert owner_of({}) == ""
    assert presented(ACTIONS["ec2_instance_stop"]).presentation.owner == "web"


def test_a_stop_of_a_database_lasts_seven_days_and_everything_else_until_somebody_undoes_it() -> None:
    lasting = {action.id: presented(action).lasts_days for action in ACTIONS.values()}
    assert {name: days for name, days in lasting.items() if days} == {"rds_cluster_stop": 7, "rds_instance_stop": 7}
