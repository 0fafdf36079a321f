"""An installation of the chart with everything that it needs: doubles, secrets, an account, a policy, people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.e2e.cluster import RealCluster
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import ACTIONS, account, policy, role_binding
from tests.e2e.doubles import aws_double, slack_double
from tests.e2e.loop.world import CHANNEL, POLICY, Loop
from tests.e2e.release import Release

from finops_sandbox.slack import SlackControl

STATE_SECONDS = 2.0
"""How long stopping and starting take: long enough to kill a pod meanwhile, short enough to wait for."""
GROUP = "S0SRE00001"
DESK = "desk"
"""A service account that votes through the dashboard: the cluster gives tokens to those alone."""
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIASANDBOXOPERATOR1", "AWS_SECRET_ACCESS_KEY": "sandbox-operator-secret"}
SLACK_KEYS = {"SLACK_BOT_TOKEN": "xoxb-sandbox-finops", "SLACK_APP_TOKEN": "xapp-sandbox-finops"}


def _secret(name: str, namespace: str, values: dict[str, str]) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def _policy(team: str, actions: Sequence[str], cards: int) -> dict[str, object]:
    return policy(
        POLICY,
        team,
        team,
        # Whatever is proposed gets a card, so that people can vote on it in Slack too.
        notify={"slack": {"channel": CHANNEL, "cardsPerDay": cards, "minimumMonthlySavings": 1}},
        actions={
            "mode": "Approve",
            "allowed": list(actions),
            "minimumMonthlySavings": 1,
            "maximumOpenRequests": 200,
            "limits": {"perHour": 1000, "perDay": 1000, "percentOfFleet": 100},
        },
        approval={
            "approvers": [
                {"kubernetesUser": "alice"},
                {"kubernetesUser": "bob"},
                {"kubernetesUser": f"system:serviceaccount:{team}:{DESK}"},
                {"slackUserGroup": GROUP},
            ],
            "requireReason": "Deny",
        },
    )


@contextlib.contextmanager
def installed(
    cluster: RealCluster,
    estate: Path,
    actions: Sequence[str] = tuple(ACTIONS),
    cards: int = 50,
    state_seconds: float = STATE_SECONDS,
) -> Iterator[Loop]:
    """Install for an estate and a policy that allows these actions; all of it is gone when the block ends."""
    release, team = Release(cluster, unique_name("loop")), unique_name("team")
    for namespace in (release.namespace, team):
        cluster.create_namespace(namespace)
    with aws_double(cluster.host, estate, state_seconds) as aws, slack_double(cluster.host) as slack:
        cluster.apply(
            _secret("aws", release.namespace, AWS_KEYS),
            _secret("slack", release.namespace, SLACK_KEYS),
        )
        try:
            # Requests that other tests left behind would make a new installation start frozen.
            cluster.try_kubectl("delete", "actionrequests", "--all-namespaces", "--all")
            release.install(
                *("--set", "aws.existingSecret=aws", "--set", f"aws.endpointUrl={aws.url}"),
                *("--set", "slack.existingSecret=slack", "--set", f"slack.apiUrl={slack}/api/"),
                *("--set", "scanJobs.enabled=true", "--set", "scanJobs.backoffLimitPerIndex=1"),
                # A dead operator's lease is waited for: short, so that the stories of its death are.
                *("--set-json", 'operator.extraEnv=[{"name": "FINOPS_LEASE_SECONDS", "value": "15"}]'),
            )
            cluster.apply(
                role_binding(
                    "approvers",
                    team,
                    f"{release.full_name}-{release.namespace}-approver",
                    *("alice", "bob", "carol"),
                ),
                account(team, team, actions),
                _policy(team, actions, cards),
            )
            yield Loop(cluster, release, team, aws, SlackControl(slack), slack)
        finally:
            _remove(cluster, release, team)


def _remove(cluster: RealCluster, release: Release, team: str) -> None:
    cluster.kubectl("delete", "awsaccounts", team, "--ignore-not-found")
    # A namespace with policies and requests in every state goes while the operator runs, and when it is gone.
    cluster.delete_namespace(team)
    release.uninstall()
    release.remove_kept()
    cluster.delete_namespace(release.namespace)
