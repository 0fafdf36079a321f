"""An id that the release does not know is refused when it is applied, by the policies that the chart installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.scan_samples import account, policy

from finops.crds.aws_account import AwsAccount
from finops.crds.known_ids import known_id_policies, known_ids_data
from finops.crds.metadata import Metadata
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import Connection, connect
from finops.k8s.kinds import aws_accounts, scan_policies
from finops_operator.plugins.loaded import known_ids, plugins
from finops_sandbox.kubernetes import KubernetesDouble

ROOT = Path(__file__).parents[3]
KNOWN = known_ids(plugins())
DATA = known_ids_data(KNOWN.checks, KNOWN.actions, KNOWN.kinds)
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "r-known-ids", "namespace": "default"}}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KubernetesDouble]:
    documents = [CONFIG_MAP, *known_id_policies("r-known-ids", "default", "r-default")]
    with KubernetesDouble(tmp_path, crds=[ROOT / "crds"], manifests=documents) as double:
        yield double


@pytest.fixture
def connection(cluster: KubernetesDouble) -> Connection:
    return connect(str(cluster.kubeconfig), "admin")


def named(name: str, **spec: Any) -> ScanPolicy:
    made = policy(**spec)
    return made.model_copy(update={"metadata": Metadata(name=name, namespace="default")})


def custom(kind: str) -> dict[str, str]:
    return {"id": "our_rule", "kind": kind, "when": "cost.monthly > 100.0", "message": "It costs more than we agreed."}


def granting(name: str, *actions: str) -> AwsAccount:
    made = account(allow=[{"namespaces": ["default"], "actions": list(actions)}])
    return made.model_copy(update={"metadata": Metadata(name=name)})


def refusal(connection: Connection, made: ScanPolicy) -> str:
    with pytest.raises(FinopsError) as caught:
        scan_policies(connection).create(made)
    return str(caught.value)


def test_everything_about_the_policies_is_evaluated(cluster: KubernetesDouble) -> None:
    assert cluster.not_evaluated == []


def test_an_unknown_id_is_refused_and_named_and_a_known_one_is_taken(connection: Connection) -> None:
    ConfigMaps(connection, "default").write("r-known-ids", DATA)
    wrong: dict[str, dict[str, Any]] = {
        "spec.checks: there is no check lambda_idle": {"checks": [{"id": "lambda_idle"}, {"id": "ebs_volume_gp2"}]},
        "spec.resources: there is no kind of resource toaster-oven": {"resources": ["toaster-oven"]},
        "spec.customChecks: there is no kind of resource toaster-oven": {"customChecks": [custom("toaster-oven")]},
        "spec.actions.allowed: there is no action toaster_clean": {
            "actions": {"mode": "Recommend", "allowed": ["toaster_clean"]}
        },
    }
    for number, (said, spec) in enumerate(wrong.items()):
        assert said in refusal(connection, named(f"wrong-{number}", **spec))
    right = named(
        "right", checks=[{"id": "ebs_volume_gp2"}], resources=["ebs-volume"], customChecks=[custom("ebs-volume")]
    )
    assert scan_policies(connection).create(right).spec.resources == ("ebs-volume",)


def test_an_unknown_grant_is_refused(connection: Connection) -> None:
    ConfigMaps(connection, "default").write("r-known-ids", DATA)
    api = aws_accounts(connection)
    api.create(granting("right", "ec2_instance_stop"))
    with pytest.raises(FinopsError, match="there is no action toaster_clean"):
        api.create(granting("wrong", "ec2_instance_stop", "toaster_clean"))


def test_before_the_operator_has_written_its_ids_everything_is_taken(connection: Connection) -> None:
    assert scan_policies(connection).create(named("early", checks=[{"id": "lambda_idle"}])).metadata.uid


def test_without_the_config_map_everything_is_taken(tmp_path: Path) -> None:
    documents = known_id_policies("r-known-ids", "default", "r-default")
    with KubernetesDouble(tmp_path, crds=[ROOT / "crds"], manifests=documents) as double:
        connection = connect(str(double.kubeconfig), "admin")
        assert scan_policies(connection).create(named("early", checks=[{"id": "lambda_idle"}])).metadata.uid


def test_what_a_policy_named_before_a_downgrade_may_stay_in_it(connection: Connection) -> None:
    api = scan_policies(connection)
    api.create(named("old", checks=[{"id": "lambda_idle"}]))
    ConfigMaps(connection, "default").write("r-known-ids", DATA)
    touched = api.annotate("default", "old", {"finops.dev/requestedAt": "now"})
    assert touched.metadata.annotations["finops.dev/requestedAt"] == "now"
