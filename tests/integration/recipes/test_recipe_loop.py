"""The recipes' own service through the whole loop: proposed, shown on a card, approved by two people, acted on, proved.

The operator runs from the copy of the source in which the pages were carried out; the bot's card is made by the code of
this repository, which knows nothing of fax lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from tests.support.operator_estate import ACCOUNT, PEOPLE, REGION, manifests
from tests.support.operator_rig import Case, Rig
from tests.support.recipes import PAGES, ROOT, Copy, copy_of_source
from tests.support.valkey import running_valkey

from finops.crds.action_request import ActionRequest
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.kubernetes import KubernetesDouble
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card

ACTION = "fax_line_cancel"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_of_source(tmp_path_factory.mktemp("recipes") / "operator", *PAGES)


@pytest.fixture(scope="module")
def rig(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Return doubles, store and the operator of the copy; its executor role is what `finops iam-policy` printed."""
    printed = copy.finops({}, "iam-policy", "--for", "act", "--action", ACTION)
    assert printed.returncode == 0, printed.stderr
    executor = {"finops-executor": {"policies": [json.loads(printed.stdout)]}}
    estate = {
        "accounts": {ACCOUNT: {"name": "production", "regions": [REGION], "roles": executor}},
        "externalId": "finops-sandbox",
    }
    directory, objects = tmp_path_factory.mktemp("rig"), manifests()
    account = next(one for one in objects if one["kind"] == "AwsAccount")
    account["spec"]["allow"][0]["actions"].append(ACTION)
    with (
        AwsDouble(estate) as aws,
        running_valkey() as valkey,
        KubernetesDouble(directory, crds=[ROOT / "crds"], manifests=objects, users=PEOPLE) as k8s,
        pytest.MonkeyPatch.context() as shell,
    ):
        shell.setenv("PYTHONPATH", os.pathsep.join((str(copy.folder), str(ROOT / "operator"))))
        rig = Rig(directory, aws, valkey, k8s)
        rig.start()
        try:
            yield rig
        finally:
            rig.kill()


def new_line(case: Case, name: str) -> str:
    tags = [{"Key": "Name", "Value": name}, {"Key": "case", "Value": case.name}]
    return str(ec2_backends[ACCOUNT][REGION].create_internet_gateway(tags=tags).id)


def lines() -> set[str]:
    return set(ec2_backends[ACCOUNT][REGION].internet_gateways)


def proposed(rig: Rig, name: str, **actions: Any) -> tuple[Case, str, dict[str, Any]]:
    """Return a case with one idle line, its id, and the request to give it up."""
    case = rig.case()
    line = new_line(case, name)
    case.apply(resources=["fax-line"], checks=[{"id": "fax_line_idle"}], actions={"allowed": [ACTION], **actions})
    (request,) = case.proposed(1)
    assert request["spec"]["resource"]["id"] == line
    return case, line, request


def test_a_new_action_is_proposed_approved_carried_out_and_proved(rig: Rig) -> None:
    case, line, request = proposed(rig, "quiet")
    assert line in lines()
    for person in ("alice", "bob"):
        case.vote(request, person)
    done = case.wait_state(request, "Succeeded")
    assert line not in lines()
    assert done["status"]["state"] == "Succeeded"
    case.check(DeleteInternetGateway=1)


def test_the_card_of_a_new_action_is_in_the_words_that_it_declares(rig: Rig) -> None:
    case, line, request = proposed(rig, "shown")
    shown = card(card_facts(ActionRequest.from_object(request), [], demo=False), Buttons(b"a key for tests"))
    text = json.dumps(shown.blocks, ensure_ascii=False)
    for words in ("Cancel", "Fax line", "25.00", "No machine is connected to it.", "The line is given up"):
        assert words in text
    assert request["spec"]["presentation"]["consoleUrl"].endswith(line)
    assert case.state(request) == "Pending"


def test_a_line_that_somebody_connects_meanwhile_is_left_alone(rig: Rig) -> None:
    case, line, request = proposed(rig, "taken")
    estate = ec2_backends[ACCOUNT][REGION]
    estate.attach_internet_gateway(line, estate.create_vpc("10.8.0.0/16").id)
    for person in ("alice", "bob"):
        case.vote(request, person)
    case.wait_state(request, "Stale")
    assert line in lines()
    case.check()


def test_a_dry_run_of_a_new_action_asks_and_changes_nothing(rig: Rig) -> None:
    case, line, request = proposed(rig, "rehearsed", mode="DryRun")
    for person in ("alice", "bob"):
        case.vote(request, person)
    ended = case.wait_state(request, "Succeeded")
    assert "ec2:DeleteInternetGateway is permitted" in ended["status"]["outcome"]["message"]
    assert line in lines()


def test_the_command_line_lists_the_request(rig: Rig, copy: Copy, tmp_path: Path) -> None:
    case, _, request = proposed(rig, "listed")
    environment = {"KUBECONFIG": str(rig.k8s.kubeconfig_for("alice")), "HOME": str(tmp_path)}
    listed = copy.finops(environment, "requests", "--namespace", case.name, "-o", "json")
    assert listed.returncode == 0, listed.stderr
    (found,) = json.loads(listed.stdout)
    assert found["metadata"]["name"] == request["metadata"]["name"]
