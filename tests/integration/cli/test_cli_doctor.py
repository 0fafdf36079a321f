"""`finops doctor`: each part that ails is named with the fix, and the others are looked at all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.integration.cli.aws_process import AwsProcess, account
from tests.integration.cli.aws_process import policy as scan_policy
from tests.integration.cli.conftest import Ended, Files, Finops
from tests.support.scan_samples import policy, recommendation, request
from tests.support.valkey import running_valkey

from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests, scan_policies
from finops.store.connection import open_store
from finops.store.slack_status import SlackStatus
from finops_operator.rules import policy_status
from finops_operator.rules.policy_status import PausedActs
from finops_sandbox.kubernetes import KubernetesDouble

EXECUTOR: dict[str, Any] = {"executorRoleArn": "arn:aws:iam::111111111111:role/finops-executor"}


def results(ended: Ended) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["part"], one["check"]): one for one in json.loads(ended.out)}


def test_everything_is_reported_as_ok_when_it_is(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanting = scan_policy("production", pricing={"priceList": True})
    documents = files(account("production", **EXECUTOR), wanting)
    ended = finops("doctor", "-f", documents, "--redis", valkey_url, "-o", "json")
    found = results(ended)
    assert ended.code == 0, ended.out
    assert "account 111111111111" in found["aws production", "scanner"]["detail"]
    assert "2 enabled" in found["aws production", "regions"]["detail"]
    assert found["aws production", "ec2:DescribeVolumes"]["verdict"] == "ok"
    assert found["aws production", "ec2:StopInstances"]["verdict"] == "ok"
    assert " USD per gb-month, as of " in found["prices", "bundled"]["detail"]
    assert found["prices", "price-list of default/all"]["detail"] == "on: AwsAccount production asks it"
    assert found["aws production", "pricing:GetProducts"]["verdict"] == "ok"
    assert " USD per gb-month, SANDBOXIMAGES" in found["aws production", "pricing:GetProducts"]["detail"]
    assert found["kubernetes", "configuration"]["verdict"] == "unknown"
    assert found["slack", "bot"]["verdict"] == "unknown"
    # The executor was only asked by DryRun.
    assert [call for call in aws.calls() if call["service"] != "sts" and not call["dryRun"]] == []


@pytest.mark.parametrize(
    ("operation", "role"), [("DescribeVolumes", "scanner role"), ("StopInstances", "executor role")]
)
def test_a_missing_permission_is_named_with_the_role_that_lacks_it(
    aws: AwsProcess, finops: Finops, files: Files, operation: str, role: str
) -> None:
    aws.inject(kind="deny", service="ec2", action=operation)
    ended = finops("doctor", "-f", files(account("production", **EXECUTOR)), "-o", "json")
    assert ended.code == 1
    bad = [one for one in results(ended).values() if one["verdict"] == "failed"]
    assert [one["check"] for one in bad] == [f"ec2:{operation}"]
    assert bad[0]["hint"] == f"allow ec2:{operation} to the {role}"


def test_a_role_that_cannot_be_assumed_and_a_missing_grant_are_reported(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    wrong = account("staging", externalId="wrong-id", namespaces=())
    ended = finops("doctor", "-f", files(account("production"), wrong), "-o", "json")
    found = results(ended)
    assert ended.code == 1
    assert found["aws staging", "scanner"]["verdict"] == "failed"
    assert "externalId" in found["aws staging", "scanner"]["hint"]
    assert found["aws staging", "grant"]["verdict"] == "warning"
    assert found["aws production", "executor"]["verdict"] == "unknown"
    assert found["aws production", "scanner"]["verdict"] == "ok"


def test_missing_credentials_are_reported(aws: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch) -> None:
    shell.delenv("AWS_ACCESS_KEY_ID")
    shell.delenv("AWS_SECRET_ACCESS_KEY")
    ended = finops("doctor", "-o", "json")
    assert ended.code == 1
    assert "credentials" in results(ended)["aws", "own identity"]["detail"]


def test_a_region_that_is_not_enabled_is_a_warning_and_exit_code_3(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    ended = finops("doctor", "-f", files(account("production", regions=["us-east-1", "eu-west-3"])), "-o", "json")
    assert ended.code == 3
    assert "eu-west-3" in results(ended)["aws production", "regions"]["detail"]


def test_accounts_are_entered_where_the_scans_of_their_policy_enter_them(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    # The shell's own region is us-east-1, which an organization may have closed.
    aws.inject(
        kind="error",
        service="ec2",
        action="DescribeRegions",
        region="us-east-1",
        code="UnauthorizedOperation",
        status=403,
    )
    documents = files(account("production"), scan_policy("production", regions=["eu-central-1"]))
    found = results(finops("doctor", "-f", documents, "-o", "json"))
    assert found["aws production", "regions"]["verdict"] == "ok"


def test_an_evicting_store_fails_and_the_password_is_never_shown(aws: AwsProcess, finops: Finops, files: Files) -> None:
    with running_valkey("--maxmemory-policy", "allkeys-lru") as server:
        ended = finops("doctor", "--redis", server.url, "-o", "json")
    assert ended.code == 1
    assert "noeviction" in results(ended)["store", "durability"]["hint"]
    ended = finops("doctor", "--redis", "redis://:hidden@127.0.0.1:1/0", "-o", "json")
    assert ended.code == 1
    assert "hidden" not in ended.out + ended.err


def test_how_full_the_store_is_stands_in_a_line_and_without_a_limit_it_is_unknown(
    aws: AwsProcess, finops: Finops
) -> None:
    with running_valkey() as server, redis.Redis.from_url(server.url) as client:
        unlimited = results(finops("doctor", "--redis", server.url, "-o", "json"))["store", "space"]
        assert unlimited["verdict"] == "unknown"
        assert "not known how full" in unlimited["detail"]
        for percent, verdict in ((20, "ok"), (80, "warning"), (95, "failed")):
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", used * 100 // percent)
            space = results(finops("doctor", "--redis", server.url, "-o", "json"))["store", "space"]
            assert space["verdict"] == verdict
        assert "nothing new begins" in space["detail"]
        assert "valkey.maxMemory" in space["hint"]


@pytest.mark.parametrize("seen", ["2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00", "yesterday", ""])
def test_what_the_bot_says_of_itself_is_shown(
    aws: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch, valkey_url: str, seen: str
) -> None:
    shell.setenv("FINOPS_REDIS_PREFIX", "doctor-slack:")
    store = open_store(valkey_url, prefix="doctor-slack:")
    SlackStatus(store).put({"connected": "true", "teamName": "Acme", "seenAt": seen, "sharedUser": "operator"})
    store.client.close()
    ended = finops("doctor", "--redis", valkey_url, "-o", "json")
    bot = results(ended)["slack", "bot"]
    assert ended.code == 1
    assert bot["verdict"] == "failed"
    assert "Acme" in bot["detail"]
    user = results(ended)["store", "user of the bot"]
    assert user["verdict"] == "failed"
    assert "the operator's own user operator" in user["detail"]


def test_what_the_bot_cannot_have_written_is_said_in_one_line(
    aws: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch, valkey_url: str
) -> None:
    shell.setenv("FINOPS_REDIS_PREFIX", "doctor-forged:")
    store = open_store(valkey_url, prefix="doctor-forged:")
    store.client.hset(store.keys.slack("status"), mapping={"error:C1": "no time"})
    store.client.close()
    ended = finops("doctor", "--redis", valkey_url, "-o", "json")
    assert "not written by the bot" in results(ended)["slack", "bot"]["detail"]
    assert ended.code == 1


def test_when_the_bot_was_seen_is_said_in_the_readers_time_zone(
    aws: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch, valkey_url: str
) -> None:
    shell.setenv("FINOPS_REDIS_PREFIX", "doctor-seen:")
    store = open_store(valkey_url, prefix="doctor-seen:")
    seen = datetime(2020, 1, 1, 8, 30, 12, 345678, tzinfo=UTC)
    SlackStatus(store).put({"connected": "true", "teamName": "Acme", "seenAt": seen.isoformat()})
    store.client.close()
    ended = finops("doctor", "--redis", valkey_url, "-o", "json")
    assert results(ended)["slack", "bot"]["detail"].endswith(f"last seen {seen.astimezone():%Y-%m-%d %H:%M %Z}")


def test_a_cluster_without_the_kinds_is_reported_with_how_to_get_them(
    aws: AwsProcess, finops: Finops, tmp_path: Path
) -> None:
    with KubernetesDouble(tmp_path) as double:
        ended = finops("doctor", "--kubeconfig", str(double.kubeconfig), "--context", "alice", "-o", "json")
    found = results(ended)
    assert ended.code == 1
    assert "alice" in found["kubernetes", "identity"]["detail"]
    assert "crds/" in found["kubernetes", "kinds"]["hint"]


def test_missing_rights_on_the_cluster_are_warnings_with_who_can_give_them(
    aws: AwsProcess, finops: Finops, tmp_path: Path
) -> None:
    crds = [Path(__file__).parents[3] / "crds"]
    with KubernetesDouble(tmp_path, crds=crds) as double:
        ended = finops("doctor", "--kubeconfig", str(double.kubeconfig), "--context", "bob", "-o", "json")
    found = results(ended)
    assert ended.code == 3
    assert found["kubernetes", "kinds"]["verdict"] == "ok"
    assert found["kubernetes", "vote"]["verdict"] == "warning"
    assert "approver role" in found["kubernetes", "vote"]["hint"]


def test_what_stops_all_acts_is_named_with_the_fix(aws: AwsProcess, finops: Finops, tmp_path: Path) -> None:
    """`doctor` shows a freeze, a broken ledger, missing protection and paused acts."""
    crds = [Path(__file__).parents[3] / "crds"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    with KubernetesDouble(tmp_path, crds=crds, manifests=[space]) as double:
        api = scan_policies(connect(str(double.kubeconfig)))
        made = api.create(policy())
        status = policy_status.acts(made, "Unprotected", "binding x does not exist", now=datetime.now(UTC))
        api.replace_status(made, status)
        ended = finops("doctor", "--kubeconfig", str(double.kubeconfig), "--namespace", "team-a", "-o", "json")
    found = results(ended)["kubernetes", "acts of p"]
    assert ended.code == 1
    assert (found["verdict"], found["detail"]) == ("failed", "Unprotected: binding x does not exist")
    assert "helm upgrade" in found["hint"]


def test_a_policy_whose_scans_get_no_pods_is_named_with_the_fix(
    aws: AwsProcess, finops: Finops, tmp_path: Path
) -> None:
    crds = [Path(__file__).parents[3] / "crds"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    with KubernetesDouble(tmp_path, crds=crds, manifests=[space]) as double:
        api = scan_policies(connect(str(double.kubeconfig)))
        made = api.create(policy(execution={"mode": "Job"}))
        asked = ("doctor", "--kubeconfig", str(double.kubeconfig), "--namespace", "team-a", "-o", "json")
        wanted = policy_status.pods("binding x does not exist")
        made = api.replace_status(made, policy_status.with_pods(made, wanted, now=datetime.now(UTC)))
        ended = finops(*asked)
        api.replace_status(made, policy_status.with_pods(made, policy_status.pods(""), now=datetime.now(UTC)))
        after = finops(*asked)
    found = results(ended)["kubernetes", "pods of scans of p"]
    assert ended.code == 1
    assert found["verdict"] == "failed"
    assert "binding x does not exist. Install the chart again, or helm upgrade" in found["detail"]
    assert results(after)["kubernetes", "pods of scans of p"]["verdict"] == "ok"


def test_an_approved_act_that_waits_is_named_with_its_reason(aws: AwsProcess, finops: Finops, tmp_path: Path) -> None:
    """Bullet "Freeze, a broken ledger, missing protection, paused acts are seen where people look": `doctor`."""
    crds = [Path(__file__).parents[3] / "crds"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    with KubernetesDouble(tmp_path, crds=crds, manifests=[space]) as double:
        api = action_requests(connect(str(double.kubeconfig)))
        made = api.create(request(recommendation(), None))
        outcome = {"before": {}, "after": {}, "error": "Waiting for the policy's window."}
        api.replace_status(made, {"state": "Approved", "outcome": outcome})
        ended = finops("doctor", "--kubeconfig", str(double.kubeconfig), "--namespace", "team-a", "-o", "json")
    found = results(ended)["kubernetes", f"act {made.metadata.name}"]
    assert (found["verdict"], found["detail"]) == ("warning", "Waiting for the policy's window.")


def test_acts_that_are_paused_because_one_failed_are_named_with_the_command(
    aws: AwsProcess, finops: Finops, tmp_path: Path
) -> None:
    crds = [Path(__file__).parents[3] / "crds"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    why = "ec2_instance_stop of policy p is paused: r-1 was rolled back: no capacity."
    with KubernetesDouble(tmp_path, crds=crds, manifests=[space]) as double:
        api = scan_policies(connect(str(double.kubeconfig)))
        made = api.create(policy())
        made = api.replace_status(
            made, policy_status.paused(made, PausedActs(is_paused=True, message=why), now=datetime.now(UTC))
        )
        asked = ("doctor", "--kubeconfig", str(double.kubeconfig), "--namespace", "team-a", "-o", "json")
        ended = finops(*asked)
        api.replace_status(
            made, policy_status.paused(made, PausedActs(is_paused=False, message=""), now=datetime.now(UTC))
        )
        after = finops(*asked)
    found = results(ended)["kubernetes", "paused acts of p"]
    assert ended.code == 1
    assert (found["verdict"], found["detail"]) == ("failed", why)
    assert "finops resume" in found["hint"]
    assert ("kubernetes", "paused acts of p") not in results(after)
