"""kubectl against both servers: the commands people and the guide use, and what they print."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.contract.kubernetes.worlds import RBAC, Api, Obj, World, probe


class Kubectl:
    """Runs kubectl as a user in the world's namespace."""

    def __init__(self, world: World, home: Path) -> None:
        self._world = world
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(world.kubeconfig)}

    def run(
        self, *arguments: str, user: str = "admin", document: Obj | None = None, env: Obj | None = None
    ) -> tuple[int, str]:
        command = ["kubectl", *self._world.kubectl_as(user), "-n", self._world.namespace, *arguments]
        done = subprocess.run(
            command,
            env={**self._environment, **(env or {})},
            input=yaml.safe_dump(document) if document else None,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def kubectl(api: Api, tmp_path: Path) -> Kubectl:
    return Kubectl(api.world, tmp_path)


def test_create_apply_and_apply_again(kubectl: Kubectl) -> None:
    document = probe({"text": "a", "count": 4})
    assert kubectl.run("create", "-f", "-", document=document) == (0, "probe.contract.finops.dev/p created\n")
    changed = probe({"text": "a", "count": 5})
    code, out = kubectl.run("apply", "-f", "-", document=changed)
    assert code == 0
    assert "probe.contract.finops.dev/p configured" in out.splitlines()
    assert kubectl.run("apply", "-f", "-", document=changed) == (0, "probe.contract.finops.dev/p unchanged\n")


def test_refusals_read_the_same(kubectl: Kubectl) -> None:
    code, out = kubectl.run("create", "-f", "-", document=probe({"text": "a", "count": 9}))
    assert (code, out) == (1, 'The Probe "p" is invalid: spec: Invalid value: count stays below nine\n')
    code, out = kubectl.run("create", "-f", "-", document=probe({"text": "a", "wrong": 1}))
    assert code == 1
    assert 'strict decoding error: unknown field "spec.wrong"' in out
    code, out = kubectl.run("get", "probes", "none")
    assert out == 'Error from server (NotFound): probes.contract.finops.dev "none" not found\n'


def test_get_prints_the_columns_and_wide_the_others(api: Api, kubectl: Kubectl) -> None:
    api.create({"text": "abc", "count": 4})
    _, narrow = kubectl.run("get", "prb")
    header, row = (re.split(r"\s{2,}", line.strip()) for line in narrow.splitlines())
    assert header == ["NAME", "MODE", "COUNT", "READY", "AGE"]
    assert row[:3] == ["p", "A", "4"]
    _, wide = kubectl.run("get", "prb", "-o", "wide")
    assert re.split(r"\s{2,}", wide.splitlines()[0].strip()) == ["NAME", "MODE", "COUNT", "READY", "TEXT", "AGE"]
    _, name = kubectl.run("get", "prb", "-o", "name")
    assert name == "probe.contract.finops.dev/p\n"


def test_wait_annotate_patch_and_edit(api: Api, kubectl: Kubectl) -> None:
    api.create({"text": "plum"})
    assert kubectl.run("annotate", "prb", "p", "a=b") == (0, "probe.contract.finops.dev/p annotated\n")
    ready = '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'
    assert kubectl.run("patch", "prb", "p", "--subresource=status", "--type=merge", "-p", ready)[0] == 0
    waited = kubectl.run("wait", "prb/p", "--for=condition=Ready", "--timeout=10s")
    assert waited == (0, "probe.contract.finops.dev/p condition met\n")
    assert kubectl.run("wait", "prb/p", "--for=jsonpath={.spec.text}=plum", "--timeout=10s")[0] == 0
    assert kubectl.run("wait", "prb/p", "--for=condition=Other", "--timeout=1s")[0] == 1
    # A word that no uid can have in it: the editor changes the whole text.
    edited = kubectl.run("edit", "prb", "p", env={"EDITOR": "sed -i s/plum/pear/"})
    assert edited == (0, "probe.contract.finops.dev/p edited\n")
    _, out = kubectl.run("get", "prb", "p", "-o", "json")
    stored = json.loads(out)
    assert (stored["spec"]["text"], stored["metadata"]["annotations"]["a"]) == ("pear", "b")


def test_explain_reads_the_schema(kubectl: Kubectl) -> None:
    code, out = kubectl.run("explain", "probe.spec")
    assert code == 0
    assert "GROUP:      contract.finops.dev" in out
    assert re.search(r"text\s+<string> -required-\n\s+A short word\.", out)
    assert re.search(r"mode\s+<string>\n\s+enum: A, B", out)


def test_whoami_names_the_user(kubectl: Kubectl) -> None:
    code, out = kubectl.run("auth", "whoami", "-o", "json", user="alice")
    assert (code, json.loads(out)["status"]["userInfo"]["username"]) == (0, "alice")


def test_built_in_kinds_are_applied_from_files(kubectl: Kubectl) -> None:
    about = {"apiVersion": RBAC + "/v1", "kind": "Role", "metadata": {"name": "r1"}}
    role = {**about, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]}
    binding = {
        "apiVersion": RBAC + "/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b1"},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "r1"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "bob"}],
    }
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c1"}, "data": {"a": "b"}}
    for document in (role, binding, held):
        code, out = kubectl.run("apply", "-f", "-", document=document)
        assert code == 0, out
    assert kubectl.run("get", "cm", "c1", "-o", "jsonpath={.data.a}", user="bob") == (0, "b")
    assert kubectl.run("delete", "cm/c1", "role/r1", "rolebinding/b1")[0] == 0
    assert kubectl.run("get", "cm", "c1", user="bob")[0] == 1


def test_events_are_listed_for_their_object(api: Api, kubectl: Kubectl) -> None:
    made = api.create({"text": "a"})
    about = {"apiVersion": made["apiVersion"], "kind": "Probe", "name": "p", "namespace": api.world.namespace}
    event = {
        "metadata": {"name": "e1"},
        "involvedObject": {**about, "uid": made["metadata"]["uid"]},
        "reason": "Measured",
        "message": "all is well",
        "type": "Normal",
        "lastTimestamp": made["metadata"]["creationTimestamp"],
    }
    assert api.call("POST", f"{api.core}/events", event).code == 201
    for arguments in (("events", "--for", "probe/p"), ("get", "events"), ("describe", "prb", "p")):
        code, out = kubectl.run(*arguments)
        assert code == 0
        assert "Measured" in out, arguments
        assert "all is well" in out, arguments


def test_delete_waits_until_the_object_is_gone(api: Api, kubectl: Kubectl) -> None:
    api.create({"text": "a"})
    code, out = kubectl.run("delete", "prb", "p", "--timeout=10s")
    assert (code, out.startswith('probe.contract.finops.dev "p" deleted')) == (0, True)
    assert api.call("GET", f"{api.probes}/p").code == 404
