"""The official Python client against both servers: custom objects, status patches, leases, errors, watches."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch
from tests.contract.kubernetes.worlds import Api, probe, unique

PLACE = ("contract.finops.dev", "v1")


@pytest.fixture
def custom(api: Api) -> Iterator[Any]:
    with config.new_client_from_config(str(api.world.kubeconfig)) as connection:
        yield client.CustomObjectsApi(connection)


@pytest.fixture
def leases(api: Api) -> Iterator[Any]:
    with config.new_client_from_config(str(api.world.kubeconfig)) as connection:
        yield client.CoordinationV1Api(connection)


def test_custom_objects_are_made_read_patched_and_removed(api: Api, custom: Any) -> None:
    space = api.world.namespace
    made = custom.create_namespaced_custom_object(*PLACE, space, "probes", probe({"text": "a"}))
    status = {"status": {"note": "seen"}}
    patched = custom.patch_namespaced_custom_object_status(*PLACE, space, "probes", "p", status)
    assert patched["status"] == {"note": "seen"}
    assert patched["metadata"]["uid"] == made["metadata"]["uid"]
    listed = custom.list_namespaced_custom_object(*PLACE, space, "probes", label_selector="a!=b")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["p"]
    assert custom.delete_namespaced_custom_object(*PLACE, space, "probes", "p")["status"] == "Success"


def test_a_status_patch_with_an_old_version_is_a_conflict(api: Api, custom: Any) -> None:
    space = api.world.namespace
    made = custom.create_namespaced_custom_object(*PLACE, space, "probes", probe({"text": "a"}))
    version = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    custom.patch_namespaced_custom_object_status(*PLACE, space, "probes", "p", {**version, "status": {"note": "1"}})
    with pytest.raises(client.ApiException) as refused:
        custom.patch_namespaced_custom_object_status(*PLACE, space, "probes", "p", {**version, "status": {"note": "2"}})
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    assert json.loads(refused.value.body or "")["reason"] == "Conflict"


def test_of_two_takers_of_a_lease_one_loses(api: Api, leases: Any) -> None:
    space, name = api.world.namespace, unique("lease")
    now = dt.datetime.now(dt.UTC)
    spec: Any = client.V1LeaseSpec(holder_identity="a", lease_duration_seconds=15, acquire_time=now, renew_time=now)
    body = client.V1Lease(metadata=client.V1ObjectMeta(name=name), spec=spec)
    first: Any = leases.create_namespaced_lease(space, body)
    second = leases.read_namespaced_lease(name, space)
    first.spec.holder_identity, second.spec.holder_identity = "a2", "b2"
    taken = leases.replace_namespaced_lease(name, space, first)
    assert taken.spec.holder_identity == "a2"
    assert abs(taken.spec.renew_time - now) < dt.timedelta(milliseconds=1)
    with pytest.raises(client.ApiException) as refused:
        leases.replace_namespaced_lease(name, space, second)
    assert refused.value.status == 409
    leases.delete_namespaced_lease(name, space)


def test_a_lease_time_without_microseconds_is_refused(api: Api) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{api.world.namespace}/leases"
    body = {"metadata": {"name": "x"}, "spec": {"holderIdentity": "a", "renewTime": "2026-01-01T00:00:00.5Z"}}
    answer = api.call("POST", path, body)
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.message.startswith('Lease in version "v1" cannot be handled as a Lease: ')


def test_the_clients_watch_sees_what_another_client_does(api: Api, custom: Any) -> None:
    stream = watch.Watch()
    version = api.call("GET", api.probes).body["metadata"]["resourceVersion"]
    timer = threading.Timer(0.3, lambda: api.create({"text": "a"}, "later"))
    timer.start()
    seen = []
    for event in stream.stream(
        custom.list_namespaced_custom_object,
        *PLACE,
        api.world.namespace,
        "probes",
        resource_version=version,
        timeout_seconds=20,
    ):
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        stream.stop()
    timer.join()
    assert seen == [("ADDED", "later")]
