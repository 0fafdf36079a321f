"""Installs our kinds on the cluster that tests share; they stay, and each release of the chart takes them over."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from kubernetes import client, config

from finops.crds.crd import GROUP, VERSION
from finops.crds.generate import KINDS

CRDS = Path(__file__).parents[2] / "crds"
SERVED_SECONDS = 30


def install_kinds(kubeconfig: str) -> None:
    """Apply crds/ server-side, which several test runs may do at once, and wait until each kind is served."""
    apply = ("apply", "--server-side", "--force-conflicts", "--field-manager=finops-tests", "-f", str(CRDS))
    subprocess.run(["kubectl", "--kubeconfig", kubeconfig, *apply], check=True, capture_output=True, timeout=50)
    objects = client.CustomObjectsApi(config.new_client_from_config(kubeconfig))
    for kind in KINDS:
        _wait_until_served(objects, kind.crd.plural)


def _wait_until_served(objects: client.CustomObjectsApi, plural: str) -> None:
    """Ask for the objects themselves: a kind is Established a moment before the server answers for it."""
    end = time.monotonic() + SERVED_SECONDS
    while True:
        try:
            objects.list_cluster_custom_object(GROUP, VERSION, plural, limit=1)
        except client.ApiException as error:
            if error.status != 404 or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
