"""`finops demo` as a whole: the loop, what it prints, voting by command line, and leaving nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.demo.demo_process import MAKE_DEMO, ROOT, DemoProcess, running_demo, shell
from tests.support.processes import alive, eventually

from finops.crds.action_request import ActionRequest
from finops_operator.cli.finding import advice_id
from finops_operator.cli.main import run
from finops_operator.plugins.loaded import load_kinds
from finops_sandbox.slack import SlackControl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
POLICIES = ROOT / "operator" / "finops_sandbox" / "demo" / "manifests" / "policy.yaml"


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoProcess]:
    """Return one demo for all tests that look at it; Ctrl-C must end it cleanly."""
    with running_demo() as running:
        running.wait_for("Ctrl-C stops everything")
        yield running
        assert running.end(signal.SIGINT) == 0, running.told
        assert running.nothing_left(), running.leftovers()


def requests(demo: DemoProcess) -> list[dict[str, Any]]:
    done = shell(demo, "finops requests -o json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def request(demo: DemoProcess, action: str, resource: str) -> dict[str, Any]:
    (found,) = [
        one for one in requests(demo) if one["spec"]["action"] == action and one["spec"]["resource"]["name"] == resource
    ]
    return found


def potential(demo: DemoProcess, prefix: str = "") -> dict[str, str]:
    """Return what the last scans of the story's policies count as savings, by name of the resource."""
    sums: dict[str, Decimal] = {}
    for policy in ("production", "staging"):
        listed = shell(demo, f"{prefix}finops recommendations --policy default/{policy} -o json")
        for one in json.loads(listed.stdout):
            if one["counted"]:
                name = one["resource"]["name"] or one["resource"]["id"]
                sums[name] = sums.get(name, Decimal(0)) + Decimal(one["monthlySavings"] or 0)
    return {name: str(amount) for name, amount in sums.items()}


def test_an_account_of_all_services_is_reported_and_nothing_is_asked_about_it(demo: DemoProcess) -> None:
    def kinds() -> set[str]:
        listed = shell(demo, "finops resources --policy default/services -o json")
        # Before its first scan the command says that there is none.
        return {one["kind"] for one in json.loads(listed.stdout)} if listed.returncode == 0 else set()

    assert eventually(lambda: {"rds-instance", "load-balancer", "lambda-function", "s3-bucket"} <= kinds(), 120)
    assert len(kinds()) > 25
    assert all(one["spec"]["policy"] != "services" for one in requests(demo))


def test_its_budgets_are_judged_by_what_its_scans_saw_and_nothing_is_made_up_for_other_days(demo: DemoProcess) -> None:
    def judged() -> dict[str, dict[str, Any]]:
        done = shell(demo, "kubectl get budgets -o json")
        assert done.returncode == 0, done.stderr
        return {one["metadata"]["name"]: one.get("status") or {} for one in json.loads(done.stdout)["items"]}

    assert eventually(lambda: judged()["staging"].get("state") == "Exceeded", 60), judged()
    assert eventually(lambda: "state" in judged()["production"], 60)
    production = judged()["production"]
    # A month of which more than today has passed is not known: the demo has seen one day.
    assert production["state"] == ("Unknown" if production["through"][-2:] != "01" else production["state"])
    assert "forecast" not in production


def state_becomes(demo: DemoProcess, name: str, state: str) -> bool:
    def reached() -> bool:
        (found,) = [one for one in requests(demo) if one["metadata"]["name"] == name]
        return bool(found.get("status", {}).get("state") == state)

    return eventually(reached, 90)


def test_headless_approves_one_card_and_reports_the_verified_loop_as_data(tmp_path: Path) -> None:
    # Pytest's paths are long: the store's socket needs a folder of its own then.
    kept = tmp_path / "kept"
    with running_demo("--headless", "-o", "json", "--keep", str(kept)) as running:
        assert running.process.wait(240) == 0, running.told
        assert eventually(lambda: running.text.rstrip().endswith("}"), 10)
        loop = json.loads(running.text)
        assert running.nothing_left(), running.leftovers()
    assert alive(str(kept)) == []
    ledger = str(kept / "ledger.jsonl")
    assert run(["audit", "verify", "--file", ledger, "--expected-head", loop["ledger"]["head"]]) == 0
    assert kept.stat().st_mode & 0o777 == 0o700
    assert loop["verified"] is True
    ready = {one["type"]: one["status"] for one in loop["policy"]["conditions"]}
    assert ready["Ready"] == ready["CredentialsValid"] == ready["StoreReachable"] == "True"
    assert loop["request"]["action"] == "ec2_instance_resize"
    assert loop["request"]["status"]["state"] == "Succeeded"
    (vote,) = loop["votes"]
    assert vote["result"] == "Counted"
    assert vote["approver"]["source"] == "slack"
    assert vote["approver"]["slackUser"] == "U0ALICE001"
    changes = [(one["action"], one["result"]) for one in loop["changes"]]
    assert changes == [("StopInstances", "ok"), ("ModifyInstanceAttribute", "ok"), ("StartInstances", "ok")]
    for change in loop["changes"]:
        assert change["sourceIdentity"] == "slack.U0ALICE001"
        assert change["roleArn"].endswith(":role/finops-executor")
        assert change["sessionName"] == loop["request"]["name"]
        assert change["sessionTags"] == {"namespace": "default", "policy": "production"}
    assert loop["ledger"]["ok"] is True
    assert loop["ledger"]["secondSinkAgrees"] is True
    assert loop["ledger"]["openIntents"] == []
    assert loop["click"]["acked"]
    assert "done" in loop["card"]["text"]
    costs = {name: Decimal(cost) for name, cost in loop["dashboard"]["policies"].items()}
    assert set(costs) == {"production", "staging"}
    assert Decimal(loop["dashboard"]["monthlyCost"]) == sum(costs.values()) > 0
    assert loop["seconds"]["policyReady"] > 0
    written = _status_writes(kept / "kubernetes-audit.jsonl")
    assert len(written) > 20
    assert set(written) == {200}, "the API server refused the write of a status"


def _status_writes(audit: Path) -> list[int]:
    """Return the codes with which the API server answered writes of a status."""
    events = map(json.loads, audit.read_text(encoding="utf-8").splitlines())
    return [
        int(one["responseStatus"]["code"])
        for one in events
        if one["verb"] in {"patch", "update"} and one["requestURI"].partition("?")[0].endswith("/status")
    ]


def test_it_prints_the_operators_status_the_advice_and_addresses_that_answer(demo: DemoProcess) -> None:
    lines = demo.text.splitlines()
    for policy in ("production ", "staging "):
        row = next(line for line in lines if line.startswith(policy))
        assert row.split()[1:3] == ["True", "Completed"]
    assert "windows-idle" in demo.text
    walk = demo.text.partition("What to do next")[2].splitlines()
    assert max(len(line) for line in walk if str(demo.env_file.parent) not in line) <= 80
    page = next(line.split()[1] for line in lines if line.startswith("Slack "))
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page, timeout=10) as answer:
        assert answer.status == 200
    kubeconfig = next(line.split()[1] for line in lines if line.startswith("Kubernetes "))
    contexts = [one["name"] for one in yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))["contexts"]]
    assert contexts == ["admin", "alice", "bob"]
    folder = demo.env_file.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("env", "programs.log", "kubeconfig-people"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name


def test_the_first_address_that_it_prints_lets_alice_into_the_dashboard(demo: DemoProcess) -> None:
    assert demo.text.lstrip().startswith("Dashboard ")
    (address, *_) = re.findall(r"https?://\S+", demo.text)
    assert address in demo.commands
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
    with opener.open(address, timeout=10) as answer:
        page = answer.read().decode()
        assert "token" not in answer.url
    assert "<span>alice</span>" in page
    # Acts of other tests may have changed the figure by now; the headless run compares it.
    assert re.search(r"<h2>Cost a month</h2>\s*<p class=\"figure\">\$[1-9]", page)


def test_the_commands_of_the_steps_work_as_they_are_printed(demo: DemoProcess) -> None:
    shown = next(line for line in demo.commands if line.startswith(("kubectl get", "finops requests")))
    listed = shell(demo, shown)
    assert listed.returncode == 0, listed.stderr
    failing, delete = (line for line in demo.commands if line.startswith("finops approve"))
    names = {
        advice_id(one)[:8]: (one.metadata.name, one.spec.resource.name)
        for one in map(ActionRequest.from_object, requests(demo))
    }
    assert [names[line.split()[2]][1] for line in (failing, delete)] == ["checkout-no-capacity", "forgotten-data"]
    # On a terminal it shows the act and asks; here nobody answers.
    approved = shell(demo, f"{failing} --yes")
    assert approved.returncode == 0, approved.stderr
    name = names[failing.split()[2]][0]
    assert state_becomes(demo, name, "RolledBack")
    again = shell(demo, f"{failing} --yes")
    assert "sent this vote before" in again.stderr
    verified = shell(demo, "finops audit verify")
    assert verified.returncode == 0, verified.stderr
    assert "intact" in verified.stderr
    assert {"finops audit verify", "finops audit list"} <= set(demo.commands)
    recorded = json.loads(shell(demo, f"finops audit list -o json --request {name}").stdout)
    assert {"proposed", "voted", "decided", "intent", "outcome"} <= {one["kind"] for one in recorded}


def test_alice_by_command_and_alice_in_slack_are_one_vote_and_bob_is_the_second(demo: DemoProcess) -> None:
    name = request(demo, "ebs_volume_delete", "eu-forgotten")["metadata"]["name"]
    approved = shell(demo, f"finops approve {name} --yes --context alice")
    assert approved.returncode == 0, approved.stderr
    assert eventually(lambda: _votes(demo, name) == "1/2", 20)
    slack = SlackControl(demo.slack_page)
    card = slack.wait_for(lambda: _card(slack, "eu-forgotten"), 60)
    slack.people.click(user="U0ALICE001", action="finops_approve", message=card, confirm=True)
    assert eventually(lambda: _recorded(demo, name).count("voted") == 2, 30), _recorded(demo, name)
    assert _votes(demo, name) == "1/2"
    slack.people.click(user="U0BOB00001", action="finops_approve", message=card, confirm=True)
    assert state_becomes(demo, name, "Succeeded")


def _card(slack: SlackControl, resource: str) -> str:
    """Return the time stamp of a resource's card, empty while there is none."""
    return next((str(one["ts"]) for one in slack.observed.messages() if f"`{resource}`" in str(one.get("text"))), "")


def _recorded(demo: DemoProcess, name: str) -> list[str]:
    listed = json.loads(shell(demo, f"finops audit list -o json --request {name}").stdout)
    return [str(one["kind"]) for one in listed]


def test_the_ledger_verifies_from_an_export_and_an_edit_is_seen(demo: DemoProcess) -> None:
    folder = demo.env_file.parent
    exported = shell(demo, f"finops audit export > {folder}/export.jsonl", "wc -l < " + f"{folder}/export.jsonl")
    assert int(exported.stdout) > 10
    checked = shell(demo, f"finops audit verify --file {folder}/export.jsonl -o json")
    assert checked.returncode == 0, checked.stderr
    head = json.loads(checked.stdout)["head"]
    anchored = shell(demo, f"head -n -1 {folder}/export.jsonl | finops audit verify --file - --expected-head {head}")
    assert anchored.returncode == 1
    assert "tail is missing" in anchored.stderr
    edited = shell(demo, f"sed 3s/operator/somebody/ {folder}/export.jsonl | finops audit verify --file -")
    assert edited.returncode == 1
    assert "NOT intact" in edited.stderr


def test_votes_of_those_who_may_not_are_refused_with_4_and_the_reason(demo: DemoProcess) -> None:
    name = request(demo, "ec2_instance_stop", "eu-old-wiki")["metadata"]["name"]
    by_bob = shell(demo, f"finops approve {name} --yes --context bob")
    assert by_bob.returncode == 4
    assert "approvals" in by_bob.stderr
    by_admin = shell(demo, f"finops approve {name} --yes --context admin")
    assert by_admin.returncode == 4, by_admin.stderr
    assert "admin" in by_admin.stderr or "approver" in by_admin.stderr
    assert request(demo, "ec2_instance_stop", "eu-old-wiki")["status"]["state"] == "Pending"
    nothing = shell(demo, "finops approve no-such-request --yes --context alice")
    assert nothing.returncode == 2
    assert "no-such-request" in nothing.stderr


def test_a_denial_needs_a_reason_and_ends_the_request(demo: DemoProcess) -> None:
    name = request(demo, "ec2_instance_stop", "ap-idle-proxy")["metadata"]["name"]
    assert shell(demo, f"finops deny {name} --yes --context alice").returncode == 2
    denied = shell(demo, f"finops deny {name} --yes --context alice --reason 'kept for the audit'")
    assert denied.returncode == 0, denied.stderr
    assert state_becomes(demo, name, "Denied")
    late = shell(demo, f"finops approve {name} --yes --context alice")
    assert late.returncode == 4
    assert "Denied" in late.stderr or "denied" in late.stderr


def test_deleting_a_volume_waits_for_a_second_vote_and_the_first_can_be_taken_back(demo: DemoProcess) -> None:
    name = request(demo, "ebs_volume_delete", "forgotten-data")["metadata"]["name"]
    approved = shell(demo, f"finops approve {name} --yes --context alice")
    assert approved.returncode == 0, approved.stderr
    assert eventually(lambda: _votes(demo, name) == "1/2", 20)
    withdrawn = shell(demo, f"finops withdraw {name} --context alice --reason 'not sure'")
    assert withdrawn.returncode == 0, withdrawn.stderr
    assert eventually(lambda: _votes(demo, name) == "0/2", 20), _votes(demo, name)


def _votes(demo: DemoProcess, name: str) -> str:
    (found,) = [one for one in requests(demo) if one["metadata"]["name"] == name]
    return str(found.get("status", {}).get("votes", {}).get("summary", ""))


def test_status_store_and_a_scan_of_the_same_documents_show_the_same_numbers(demo: DemoProcess) -> None:
    seen = shell(demo, f"FINOPS_REDIS_PREFIX=apart: finops scan -f {POLICIES} --redis $FINOPS_REDIS_URL -o json")
    assert seen.returncode == 0, seen.stderr
    reports = {one["policy"]: one["summary"] for one in map(json.loads, seen.stdout.splitlines())}
    assert set(reports) == {"default/production", "default/staging"}
    for policy, scanned in reports.items():
        row = next(line for line in demo.text.splitlines() if line.startswith(policy.removeprefix("default/"))).split()
        # Acts of other tests may have changed a type or deleted a volume by now, and left its snapshot.
        assert abs(scanned["resources"] - int(row[3])) <= 2
        assert float(scanned["monthlyCost"]) <= float(row[5])

    # The operator scans when an act ends, so its store tells what is left to save; only its preflights know what AWS
    # would refuse, so that the parts may differ and what a resource can save may not. An instance that another test let
    # start again is an exception: a scan whose store knows nothing of it cannot know how long its type has been there.
    def alike(prefix: str = "") -> dict[str, str]:
        return {name: sums for name, sums in potential(demo, prefix).items() if name != "checkout-no-capacity"}

    apart = "FINOPS_REDIS_PREFIX=apart: "
    wanted = alike(apart)
    assert len(wanted) > 10
    assert eventually(lambda: alike() == wanted, 60), (alike(), wanted)
    whole = sum(Decimal(part) for scanned in reports.values() for part in scanned["savings"].values())
    assert sum(map(Decimal, potential(demo, apart).values())) == whole
    # The estate holds resources that carry finops.dev/ignore: listings show them, the policy does not count them.
    name, scanned = "default/production", reports["default/production"]
    costs = json.loads(shell(demo, f"{apart}finops costs --policy {name} -o json").stdout)
    # What AWS does not publish a figure for has none, and is counted as such.
    known = [float(one["monthlyCost"]) for one in costs if one["monthlyCost"] is not None]
    assert f"{sum(known):.2f}" == scanned["monthlyCost"]
    counted = json.loads(shell(demo, f"{apart}finops resources --policy {name} -o json").stdout)
    assert len(counted) == scanned["resources"]
    everything = json.loads(shell(demo, f"{apart}finops resources -o json").stdout)
    assert "ignored-idle" in {one["name"] for one in everything} - {one["name"] for one in counted}


def test_a_scan_in_the_demos_shell_reads_the_production_account_with_a_persons_own_key(demo: DemoProcess) -> None:
    seen = shell(demo, "finops scan -o json")
    assert seen.returncode == 0, seen.stderr
    assert "111111111111 as arn:aws:iam::111111111111:user/engineer" in seen.stderr
    report = json.loads(seen.stdout)
    names = {one["name"] for one in report["resources"]}
    assert {"old-intranet", "eu-old-wiki", "ap-idle-proxy"} <= names
    assert "staging-idle-1" not in names
    # What it says to type next reads its own store, and not the operator's, which the shell names.
    said = shell(demo, "finops scan").stdout
    (explain,) = [line for line in said.splitlines() if " explain " in line]
    explained = shell(demo, explain.partition("  ")[0])
    assert explained.returncode == 0, explained.stderr
    assert "account-111111111111" in explained.stdout


def test_new_requests_are_cards_of_their_own_and_one_message_with_the_others_in_its_thread(demo: DemoProcess) -> None:
    slack, wanted = SlackControl(demo.slack_page), len(requests(demo))

    def cards() -> list[dict[str, Any]]:
        return [one for one in slack.observed.messages() if "finops_details" in json.dumps(one.get("blocks"))]

    assert eventually(lambda: len(cards()) == wanted, 60), len(cards())
    alone = [one for one in cards() if not one.get("thread_ts") or one["thread_ts"] == one["ts"]]
    threads = {one["thread_ts"] for one in cards() if one not in alone}
    assert len(alone) > 1
    assert len(threads) == 1
    (listing,) = [one for one in slack.observed.messages() if one["ts"] in threads]
    assert f"{wanted - len(alone)} new requests" in str(listing["text"])


def test_doctor_finds_nothing_wrong(demo: DemoProcess) -> None:
    done = shell(demo, "finops doctor -o json")
    results = json.loads(done.stdout)
    wrong = [one for one in results if one["verdict"] not in {"ok", "unknown"}]
    # Another test may have approved the resize that AWS has no capacity for, after which those of its kind wait.
    assert [one for one in wrong if one["check"] != "paused acts of production"] == []
    assert done.returncode == (1 if wrong else 0)
    parts = {one["part"] for one in results}
    assert {"kubernetes", "aws", "aws production", "aws staging", "prices", "store", "slack"} <= parts
    unknown = {one["check"] for one in results if one["verdict"] == "unknown"}
    # Nothing of these can be asked about without an id or a change, and the demo has nothing of some kinds.
    by_id = {one for kind in load_kinds().values() for one in kind.listing.probes}
    not_in_moto = {
        "eks:DescribeClusterVersions",
        "elasticloadbalancing:DescribeInstanceHealth",
        "rds:DescribeDBMajorEngineVersions",
        "workspaces:DescribeWorkspacesConnectionStatus",
    }
    of_one = {
        *("lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction"),
        *("rds:DescribeDBSnapshotAttributes", "rds:DescribeDBClusterSnapshotAttributes"),
        *("elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeLoadBalancerAttributes"),
        *("elasticloadbalancing:DescribeLoadBalancerPolicies", "autoscaling:DescribeInstanceRefreshes"),
        *("globalaccelerator:ListListeners", "globalaccelerator:ListEndpointGroups"),
    }
    without_dry_run = {
        *("dynamodb:UpdateTable", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
        *("rds:StopDBInstance", "rds:StartDBInstance", "rds:DeleteDBSnapshot", "rds:DeleteDBClusterSnapshot"),
        *("rds:ModifyDBInstance", "rds:DeleteDBInstance", "rds:CreateDBSnapshot", "es:DeleteDomain"),
        *("rds:StopDBCluster", "rds:StartDBCluster"),
        *("ecs:UpdateService", "lambda:UpdateFunctionConfiguration", "s3:PutLifecycleConfiguration"),
        *("elasticloadbalancing:DeleteLoadBalancer", "autoscaling:UpdateAutoScalingGroup", "eks:UpdateNodegroupConfig"),
        *("elasticache:CreateSnapshot", "elasticache:DeleteCacheCluster", "elasticache:DeleteReplicationGroup"),
    }
    of_ec2 = {"ec2:CreateTags", "ec2:AttachVolume", "ec2:CreateVolume"}
    of_keys = {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"}
    of_keys |= {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
    # The account of all services has no role that may change anything.
    # A domain can be asked about or not, by what has been scanned when the doctor comes.
    assert unknown - by_id - {"es:DescribeDomain"} == {
        "space",  # the demo's store has no limit
        *of_ec2,
        *of_keys,
        "executor",
        *of_one,
        *without_dry_run,
        *not_in_moto,
    }
    details = " ".join(one["detail"] for one in results)
    assert "account 111111111111" in details
    assert "sandbox-operator-secret" not in details


def test_nothing_of_the_users_own_reaches_a_program(demo: DemoProcess) -> None:
    for line in alive(str(demo.env_file.parent)):
        environment = _environment(int(line.split()[0]))
        for leak in ("the-users-own", "example.invalid", "AKIATHEUSERSOWN", "127.0.0.1:1/"):
            assert leak not in environment, line


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        # A command of another test that has ended meanwhile.
        return ""


def test_kill_9_of_the_demo_leaves_no_process_and_no_file() -> None:
    with running_demo() as running:
        running.wait_for("operator is ready")
        assert len(alive(str(running.folder))) >= 6
        running.end(signal.SIGKILL)
        assert running.nothing_left(), running.leftovers()


def test_kill_9_of_make_that_started_the_demo_ends_everything_too() -> None:
    with running_demo(command=MAKE_DEMO) as running:
        running.wait_for("operator is ready")
        assert len(alive(str(running.folder))) >= 6
        running.end(signal.SIGKILL)
        assert eventually(lambda: not alive(str(running.folder)), 60), running.leftovers()
        assert running.nothing_left(), running.leftovers()


def test_ctrl_c_ends_a_demo_that_make_started_without_a_complaint() -> None:
    with running_demo(command=MAKE_DEMO) as running:
        running.wait_for("Ctrl-C stops everything")
        # A terminal sends the signal to the whole group.
        os.killpg(running.process.pid, signal.SIGINT)
        running.process.wait(90)
        assert running.nothing_left(), running.leftovers()
        assert "Traceback" not in running.told


def test_the_death_of_a_child_ends_the_demo_with_its_name_and_last_lines() -> None:
    with running_demo() as running:
        running.wait_for("operator is ready")
        os.kill(running.pid_of("finops_operator"), signal.SIGKILL)
        assert running.process.wait(90) == 1
        assert eventually(lambda: "operator ended by signal SIGKILL" in running.told, 10), running.told
        assert "Traceback" not in running.told
        assert r"\n" not in running.told
        assert "\n  operator | " in running.told
        assert running.nothing_left(), running.leftovers()
