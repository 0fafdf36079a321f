"""What people see, recorded at 80 and 120 columns: nothing is wider, and the docs show what the programs print.

With FINOPS_RECORDINGS=docs/images the pictures of docs/commands.md are written anew.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from tests.integration.cli.aws_process import AwsProcess, running_aws
from tests.integration.cli.conftest import Finops
from tests.support.own_credentials import reading_credentials
from tests.support.sample_requests import STATUSES, delete_request, resize_request, votes

from finops.domain.decision import State
from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests
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
FOLDER = os.environ.get("FINOPS_RECORDINGS", "")
"""Read before the tests' shell drops every setting."""


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


def record(name: str, command: str, shown: str, width: int) -> None:
    """Keep what a terminal of `width` columns showed, as a picture, where the docs want one."""
    if not FOLDER:
        return
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {command}\n{shown.rstrip()}"), soft_wrap=False)
    svg = console.export_svg(title="finops", theme=MONOKAI, unique_id=f"{name}-{width}")
    # Fonts come from the reader's machine: the picture fetches nothing.
    kept = "\n".join(line.rstrip() for line in _without_fonts(svg).splitlines())
    (Path(FOLDER) / f"terminal-{name}-{width}.svg").write_text(f"{kept}\n", encoding="utf-8")


def _without_fonts(svg: str) -> str:
    start, end = svg.find("@font-face"), svg.rfind("@font-face")
    if start < 0:
        return svg
    return svg[:start] + svg[svg.index("}", end) + 1 :]


@pytest.mark.parametrize("width", [80, 120])
def test_every_command_people_read_fits_its_terminal(
    shop: AwsProcess, finops: Finops, cluster: KubernetesDouble, shell: pytest.MonkeyPatch, width: int
) -> None:
    shell.setenv("COLUMNS", str(width))
    shell.setenv("TZ", "UTC")
    for name, value in reading_credentials(shop.environment(), "111111111111").items():
        shell.setenv(name, value)
    kubeconfig = ("--kubeconfig", str(cluster.kubeconfig))
    scan = finops("scan").out
    first = finops("recommendations").out.splitlines()[1].split()[-1]
    shown = {
        ("scan", "finops scan"): scan,
        ("recommendations", "finops recommendations --all"): finops("recommendations", "--all").out,
        ("resources", "finops resources"): finops("resources").out,
        ("explain", f"finops explain {first}"): finops("explain", first).out,
        ("requests", "finops requests"): finops("requests", *kubeconfig).out,
        ("approve", f"finops approve {TO_APPROVE}"): finops("approve", TO_APPROVE, *kubeconfig).err.split("error:")[0]
        + "Approve this? [y/N] ",
    }
    for (name, command), text in shown.items():
        too_wide = [line for line in text.splitlines() if cell_len(line) > width and " " in line.strip()]
        # One word may be longer than a terminal is wide, such as a link; it is never broken.
        assert [line for line in too_wide if "https://" not in line] == [], name
        assert text.strip(), name
        record(name, command, text, width)
