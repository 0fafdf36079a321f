"""What people see, recorded at 80 and 120 columns: nothing is wider, and the docs show what the programs print.

With FINOPS_WRITE_PICTURES=1 the pictures of docs/commands.md are written anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from tests.integration.cli.aws_process import AwsProcess, running_aws
from tests.integration.cli.conftest import Finops
from tests.integration.cli.terminal_picture import check_picture
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS
from tests.support.own_credentials import reading_credentials
from tests.support.sample_requests import STATUSES, delete_request, resize_request, votes

from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests
from finops.ledger.durable import open_ledger
from finops.store.connection import open_ledger_connection
from finops_sandbox.demo.cluster_files import manifest as demo_manifest
from finops_sandbox.kubernetes import KubernetesDouble

_IDLE = {"cpu": "idle", "network": "quiet", "age": "90d"}
_PLACE = {"account": "production", "region": "eu-central-1"}
ESTATE: Mapping[str, Any] = {
    "accounts": {"111111111111": {"name": "production", "regions": ["us-east-1", "eu-central-1"]}},
    "externalId": "finops-sandbox",
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                {"name": "checkout-production-web-server-blue", "type": "m5.4xlarge", "cpu": "low", "age": "90d"},
                {"name": "reports-nightly", "type": "m5.2xlarge", **_IDLE},
                {"name": "old-build-agent", "type": "t2.large", **_IDLE},
                {"name": "vault", "type": "t3.large", **_IDLE, "tags": {"finops.dev/protected": "true"}},
            ],
            "volumes": [{"name": "left-after-migration", "size": 500, "type": "gp2", "age": "90d", "detached": "60d"}],
        },
        {**_PLACE, "instances": [{"name": "shop-api", "type": "m5.large", "cpu": "busy", "age": "90d"}]},
    ],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    """Return a double with the estate of a small shop."""
    with running_aws(tmp_path_factory.mktemp("shop"), ESTATE) as process:
        yield process


TO_APPROVE = "prod-resize-web-1"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KubernetesDouble]:
    """Return a cluster with requests as the operator makes them, with everything that it says of an act."""
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=71, minutes=30)
    place: dict[str, Any] = {"namespace": "default", "expires": expires, "created": None, "resource_version": ""}
    requests = [
        resize_request(name=TO_APPROVE, status=STATUSES[State.PENDING], **place),
        delete_request(status={"state": "Pending", "votes": votes(1, required=2)}, saving="12.40", **place),
        resize_request(
            **{"name": "done", "resource_id": "i-0def5678abc123490", "resource_name": "web-2", **place},
            status=STATUSES[State.SUCCEEDED],
        ),
    ]
    roles = [*demo_manifest("release"), *demo_manifest("people")]
    manifests = [{**one.to_object(), "status": {}} for one in requests]
    with KubernetesDouble(tmp_path, crds=[ROOT / "crds"], manifests=[*roles, *manifests]) as double:
        api = action_requests(connect(str(double.kubeconfig), "admin"))
        for one in requests:
            stored = api.get("default", one.metadata.name)
            assert stored is not None
            api.replace_status(stored, one.status.to_dict())
        yield double


@pytest.fixture
def ledger(shell: pytest.MonkeyPatch, valkey_url: str, tmp_path: Path) -> str:
    """Return the address of a store whose ledger holds a request that one person denied."""
    store = open_ledger_connection(valkey_url, prefix=os.environ["FINOPS_REDIS_PREFIX"])
    clock = FakeClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    opened = open_ledger(store, tmp_path / "ledger.jsonl", keys=KEYS, clock=clock, fence=lambda: 1)
    opened.start()
    name = "production-ebs-volume-delete-vol-0a237a391981de4d7-6e94948f5"
    volume = "arn:aws:ec2:eu-central-1:111111111111:volume/vol-0a237a391981de4d7"
    proposal: dict[str, Json] = {
        "policy": "production",
        "action": "ebs_volume_delete",
        "monthlySavings": "24.00",
        "resource": volume,
    }
    denial: dict[str, Json] = {
        "choice": "Deny",
        "reason": "The migration is checked again in May",
        "voter": {"source": "slack"},
    }
    message: dict[str, Json] = {"message": "Denied by slack.U0BOB00001."}
    for kind, actor, result, detail in (
        (RecordKind.PROPOSED, "operator", "proposed", proposal),
        (RecordKind.VOTED, "slack.U0BOB00001", "counted", denial),
        (RecordKind.DECIDED, "operator", "Denied", message),
    ):
        opened.append(Entry(f"u1:{kind}", actor, kind, request=f"default/{name}/u1", result=result, detail=detail))
        clock.sleep(90)
    store.client.close()
    return valkey_url


@pytest.mark.parametrize("width", [80, 120])
def test_every_command_people_read_fits_its_terminal(
    shop: AwsProcess, finops: Finops, cluster: KubernetesDouble, ledger: str, shell: pytest.MonkeyPatch, width: int
) -> None:
    shell.setenv("COLUMNS", str(width))
    shell.setenv("TZ", "UTC")
    for name, value in reading_credentials(shop.environment(), "111111111111").items():
        shell.setenv(name, value)
    kubeconfig = ("--kubeconfig", str(cluster.kubeconfig))
    scan = finops("scan").out
    resize = next(line for line in finops("recommendations").out.splitlines() if "resize" in line).split()[-1]
    shown = {
        ("scan", "finops scan"): scan,
        ("recommendations", "finops recommendations --all"): finops("recommendations", "--all").out,
        ("resources", "finops resources"): finops("resources").out,
        ("costs", "finops costs"): finops("costs").out,
        ("explain", f"finops explain {resize}"): finops("explain", resize).out,
        ("requests", "finops requests"): finops("requests", *kubeconfig).out,
        ("approve", f"finops approve {TO_APPROVE}"): finops("approve", TO_APPROVE, *kubeconfig).err.split("error:")[0]
        + "Approve this? [y/N] ",
        ("audit", "finops audit list"): finops("audit", "list", "--redis", ledger).out,
    }
    for (name, command), text in shown.items():
        too_wide = [line for line in text.splitlines() if cell_len(line) > width and " " in line.strip()]
        # One word may be longer than a terminal is wide, such as a link; it is never broken.
        assert [line for line in too_wide if "https://" not in line] == [], name
        assert text.strip(), name
        check_picture(name, command, text, width)
