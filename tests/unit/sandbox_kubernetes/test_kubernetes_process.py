"""``python -m finops_sandbox.kubernetes`` as the demo starts it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import urllib3
import yaml

COMMAND = [sys.executable, "-m", "finops_sandbox.kubernetes"]


def test_the_process_gets_ready_serves_and_stops_on_sigterm(tmp_path: Path) -> None:
    manifest = tmp_path / "space.yaml"
    manifest.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    files = {name: tmp_path / name for name in ("kubeconfig", "tokens.json", "audit.jsonl")}
    command = [*COMMAND, "--manifests", str(manifest), "--kubeconfig", str(files["kubeconfig"])]
    command += ["--token-file", str(files["tokens.json"]), "--audit-log", str(files["audit.jsonl"])]
    command += ["--user", "carol=ops", "--service-account", "web=shop/web", "--state", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, _, url = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        settings = yaml.safe_load(files["kubeconfig"].read_text())
        assert settings["clusters"][0]["cluster"]["server"] == url
        assert {"carol", "web", "operator", "bot"} <= {c["name"] for c in settings["contexts"]}
        token = json.loads(files["tokens.json"].read_text())["admin"]
        with urllib3.PoolManager(ca_certs=str(tmp_path / "ca.crt")) as pool:
            assert pool.request("GET", f"{url}/readyz").status == 200
            headers = {"Authorization": f"Bearer {token}"}
            assert pool.request("GET", f"{url}/api/v1/namespaces/shop", headers=headers).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert json.loads(files["audit.jsonl"].read_text().splitlines()[-1])["objectRef"]["name"] == "shop"


def test_a_bad_manifest_stops_the_start_and_is_named(tmp_path: Path) -> None:
    manifest = tmp_path / "bad.yaml"
    manifest.write_text("- just\n- a list\n")
    command = [*COMMAND, "--manifests", str(manifest)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {manifest}: a manifest is a mapping, not list\n"


def test_a_service_account_must_name_its_namespace() -> None:
    command = [*COMMAND, "--service-account", "web=shop"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "write CONTEXT=NAMESPACE/NAME" in done.stderr
