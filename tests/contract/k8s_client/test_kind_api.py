"""Objects of our kinds, read, written and watched through our client."""

from __future__ import annotations

import json
import queue
import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from kubernetes import client
from tests.contract.k8s_client.conftest import Place

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.errors import ClusterUnavailable, Conflict, InvalidInput
from finops.k8s.access import Access
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import NotFound, connect
from finops.k8s.events import Events
from finops.k8s.kinds import KindApi, WatchEvent, aws_accounts, scan_policies
from finops.k8s.secrets import create_once, update_once


def policy(place: Place, name: str, labels: dict[str, str] | None = None, **spec: Any) -> ScanPolicy:
    metadata = {"name": name, "namespace": place.namespace, "labels": labels or {}}
    return ScanPolicy.from_object({"apiVersion": API_VERSION, "kind": "ScanPolicy", "metadata": metadata, "spec": spec})


def fresh_name() -> str:
    return f"p-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def api(place: Place) -> KindApi[ScanPolicy]:
    return scan_policies(place.connection)


def test_what_is_created_can_be_read_listed_and_deleted(place: Place, api: KindApi[ScanPolicy]) -> None:
    name = fresh_name()
    made = api.create(policy(place, name, {"group": name}, suspend=True))

    assert made.metadata.uid
    assert made.metadata.generation == 1
    assert api.get(place.namespace, name) == made
    assert [one.metadata.name for one in api.list(place.namespace, f"group={name}")] == [name]
    assert name in {one.metadata.name for one in api.list()}
    with pytest.raises(Conflict) as caught:
        api.create(policy(place, name))
    assert caught.value.code == "AlreadyExists"
    api.delete(place.namespace, name)
    api.delete(place.namespace, name)
    assert api.get(place.namespace, name) is None


def test_a_cluster_wide_kind_needs_no_namespace(place: Place) -> None:
    api, name = aws_accounts(place.connection), fresh_name()
    document = {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": name}}
    made = api.create(AwsAccount.from_object({**document, "spec": {"accountId": "111122223333"}}))
    try:
        assert api.get("", name) == made
        assert api.annotate("", name, {"finops.dev/canary": "1"}).metadata.annotations == {"finops.dev/canary": "1"}
        written = api.replace_status(made := api.get("", name) or made, {"lastChecked": "2026-01-01T00:00:00Z"})
        assert written.status.last_checked is not None
        assert [one.metadata.name for one in api.list() if one.metadata.name == name] == [name]
    finally:
        api.delete("", name)


def test_a_status_is_written_whole_and_only_on_what_was_read(place: Place, api: KindApi[ScanPolicy]) -> None:
    first = api.create(policy(place, fresh_name()))
    second = api.replace_status(first, {"openRequests": 3, "recommendations": 4})
    assert (second.status.open_requests, second.metadata.generation) == (3, 1)

    with pytest.raises(Conflict):
        api.replace_status(first, {"openRequests": 9})

    third = api.replace_status(second, {"openRequests": 5})
    assert (third.status.open_requests, third.status.recommendations) == (5, None)
    same = api.replace_status(third, {"openRequests": 5})
    assert same.metadata.resource_version == third.metadata.resource_version
    with pytest.raises(InvalidInput):
        api.replace_status(third, {"openRequests": -5})
    api.delete(place.namespace, third.metadata.name)
    with pytest.raises(NotFound):
        api.replace_status(third, {"openRequests": 5})


def test_annotations_are_added_and_the_others_stay(place: Place, api: KindApi[ScanPolicy]) -> None:
    made = api.create(policy(place, fresh_name()))
    api.annotate(place.namespace, made.metadata.name, {"a": "1"})
    both = api.annotate(place.namespace, made.metadata.name, {"b": "2"})

    assert both.metadata.annotations == {"a": "1", "b": "2"}
    assert both.metadata.generation == 1
    with pytest.raises(NotFound):
        api.annotate(place.namespace, "nobody", {"a": "1"})


def test_what_the_schema_forbids_is_named(place: Place, api: KindApi[ScanPolicy]) -> None:
    # Our own parser would not let it pass: this is what a newer or older program could send.
    bad = policy(place, fresh_name()).model_copy(deep=True)
    object.__setattr__(bad.spec, "schedule", "every day")

    with pytest.raises(InvalidInput, match=r"spec\.schedule"):
        api.create(bad)


@pytest.fixture
def events(place: Place, api: KindApi[ScanPolicy]) -> Iterator[queue.Queue[WatchEvent[ScanPolicy]]]:
    stop, found = threading.Event(), queue.Queue[WatchEvent[ScanPolicy]]()

    def follow() -> None:
        for event in api.watch(stop, place.namespace):
            found.put(event)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield found
    stop.set()
    # A change wakes the reader, which then sees that it should stop.
    api.create(policy(place, fresh_name()))
    thread.join(10)
    assert not thread.is_alive()


def expect(events: queue.Queue[WatchEvent[ScanPolicy]], type_: str, name: str = "") -> WatchEvent[ScanPolicy]:
    while True:
        event = events.get(timeout=20)
        if event.type == type_ and (not name or event.raw["metadata"]["name"] == name):
            return event


def test_a_watch_shows_what_is_there_then_every_change(
    place: Place, api: KindApi[ScanPolicy], events: queue.Queue[WatchEvent[ScanPolicy]]
) -> None:
    expect(events, "SYNCED")
    name = fresh_name()
    made = api.create(policy(place, name))
    assert expect(events, "ADDED", name).object == made
    api.annotate(place.namespace, name, {"a": "1"})
    changed = expect(events, "MODIFIED", name).object
    assert changed is not None
    assert changed.metadata.annotations == {"a": "1"}
    api.delete(place.namespace, name)
    expect(events, "DELETED", name)


def test_a_watch_survives_a_restart_and_a_lost_history(
    place: Place, api: KindApi[ScanPolicy], events: queue.Queue[WatchEvent[ScanPolicy]]
) -> None:
    expect(events, "SYNCED")
    before, gone = fresh_name(), fresh_name()
    for name in (before, gone):
        api.create(policy(place, name))
        expect(events, "ADDED", name)
    if place.double is not None:
        place.double.restart(down_seconds=0.3)
        place.double.expire_watches()
    api.delete(place.namespace, gone)
    expect(events, "DELETED", gone)
    after = fresh_name()
    api.create(policy(place, after))
    expect(events, "ADDED", after)


def test_switches_are_read_merged_and_missing_ones_are_none(place: Place) -> None:
    maps, name = ConfigMaps(place.connection, place.namespace), fresh_name()
    assert maps.read(name) is None
    with pytest.raises(NotFound):
        maps.write(name, {"frozen": "true"})
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "1"})
    client.CoreV1Api(place.connection.api).create_namespaced_config_map(place.namespace, body)

    maps.write(name, {"frozen": "true"})

    assert maps.read(name) == {"a": "1", "frozen": "true"}


@pytest.mark.parametrize("note", ["short", "ü" * 2000, "x" * 1023 + "€", "\x00\x1b[31m"])
def test_an_event_of_any_length_and_alphabet_is_accepted(place: Place, api: KindApi[ScanPolicy], note: str) -> None:
    about = api.create(policy(place, "a" * 178 + ".b" + "c" * 20 + uuid.uuid4().hex[:8]))
    Events(place.connection, component="operator", instance="i" * 300).publish(
        about, reason="ScanCompleted", note=note, action="Scan"
    )

    found: Any = client.EventsV1Api(place.connection.api).list_namespaced_event(place.namespace)
    mine = [event for event in found.items if event.regarding.uid == about.metadata.uid]
    assert [event.reason for event in mine] == ["ScanCompleted"]
    assert note.startswith(mine[0].note)
    assert len(mine[0].note.encode()) <= 1024


def test_we_learn_who_we_are_what_we_may_and_what_is_served(place: Place) -> None:
    access = Access(place.connection)

    name, groups = access.username()
    assert name
    assert "system:authenticated" in groups
    assert access.may("delete", "scanpolicies", namespace=place.namespace)
    assert access.may("patch", "actionrequests/status")
    assert access.missing_kinds(("scanpolicies", "approvals", "unicorns")) == ("unicorns",)
    assert access.server_version().startswith("v1.")


def test_a_secret_is_made_once_and_never_again(place: Place) -> None:
    name = fresh_name()

    assert create_once(place.connection, place.namespace, name, lambda: {"key": "first"}, {"app": "x"})
    assert not create_once(place.connection, place.namespace, name, lambda: {"key": "second"})

    found: Any = client.CoreV1Api(place.connection.api).read_namespaced_secret(name, place.namespace)
    assert found.data == {"key": "Zmlyc3Q="}
    assert found.metadata.labels == {"app": "x"}


def test_a_secret_is_completed_where_it_has_to_be_and_keeps_the_rest(place: Place) -> None:
    name = fresh_name()
    create_once(place.connection, place.namespace, name, lambda: {"password": "kept", "list": "old"}, {"app": "x"})

    def mend(values: Mapping[str, str]) -> Mapping[str, str]:
        assert values["password"] == "kept"
        return {} if values["list"] == "new" else {"list": "new"}

    assert update_once(place.connection, place.namespace, name, mend)
    assert not update_once(place.connection, place.namespace, name, mend)

    found: Any = client.CoreV1Api(place.connection.api).read_namespaced_secret(name, place.namespace)
    assert found.data == {"password": "a2VwdA==", "list": "bmV3"}
    assert found.metadata.labels == {"app": "x"}


@pytest.mark.parametrize("text", ["", "{not: [yaml", "just text", "apiVersion: v1\nkind: Config\ncontexts: []\n"])
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Any, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match="KUBECONFIG"):
        connect(str(path))


def test_a_missing_kubeconfig_or_context_is_named(place: Place, tmp_path: Any) -> None:
    with pytest.raises(InvalidInput):
        connect(str(tmp_path / "nothing"))
    if place.double is not None:
        with pytest.raises(InvalidInput, match="nobody"):
            connect(str(place.double.kubeconfig), "nobody")


def test_a_pod_without_a_token_learns_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")

    with pytest.raises(InvalidInput):
        connect()


def test_a_cluster_that_does_not_answer_is_unavailable(tmp_path: Any) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "dead", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "nobody"}}],
        "current-context": "dead",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    dead = connect(str(path))

    assert dead.namespace == "default"
    with pytest.raises(ClusterUnavailable, match="does not answer"):
        scan_policies(dead).get("default", "p")
