"""A dashboard in a pod loads no more of the Kubernetes SDK than the client, for the memory's sake."""

from __future__ import annotations

import subprocess
import sys

LOADED = (
    "import sys\n"
    "import finops_web.__main__\n"
    "from kubernetes import client\n"
    "client.ApiClient(client.Configuration()), client.CustomObjectsApi, client.V1SelfSubjectAccessReview\n"
    "print(*sorted(sys.modules))\n"
)
NAMED_LATER = (
    "import finops.k8s\n"
    "import kubernetes.config, kubernetes.leaderelection, kubernetes.stream, kubernetes.watch\n"
    "from kubernetes import dynamic, informer\n"
    "print(kubernetes.client.Configuration, kubernetes.config.load_kube_config, dynamic.DynamicClient, informer)\n"
    "print(kubernetes.watch.Watch, kubernetes.__version__)\n"
)


def run(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_dashboard_loads_neither_the_log_in_programs_nor_the_watches_of_the_sdk() -> None:
    loaded = set(run(LOADED).split())

    assert "kubernetes.client.api_client" in loaded
    unwanted = {
        "kubernetes.config",
        "kubernetes.dynamic",
        "kubernetes.stream",
        "requests",
        "oauthlib",
    }
    assert not unwanted & loaded


def test_every_part_of_the_sdk_is_there_for_who_names_it() -> None:
    assert "Watch" in run(NAMED_LATER)
