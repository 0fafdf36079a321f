"""The life of objects: versions, generations, status, finalizers, owners, selection, paging, tables, events."""

import pytest
from tests.contract.kubernetes.worlds import JSON_PATCH, MERGE, TABLE, Api, Obj, eventually, probe, unique


def test_a_new_object_has_an_identity_defaults_and_generation_one(api: Api) -> None:
    made = api.create({"text": "a"})
    metadata = made["metadata"]
    assert made["spec"] == {"text": "a", "mode": "A", "count": 3, "ratio": 0.5}
    assert metadata["generation"] == 1
    assert {"uid", "creationTimestamp", "resourceVersion"} <= metadata.keys()
    assert api.call("GET", f"{api.probes}/p").body == made


def test_only_a_change_of_the_spec_raises_the_generation_and_no_change_raises_nothing(api: Api) -> None:
    made = api.create({"text": "a"})
    where = f"{api.probes}/p"
    labelled = api.call("PATCH", where, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE).body
    assert labelled["metadata"]["generation"] == 1
    assert labelled["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    same = api.call("PATCH", where, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE).body
    assert same["metadata"]["resourceVersion"] == labelled["metadata"]["resourceVersion"]
    changed = api.call("PATCH", where, [{"op": "replace", "path": "/spec/text", "value": "b"}], content_type=JSON_PATCH)
    assert changed.body["metadata"]["generation"] == 2


def test_status_has_a_door_of_its_own(api: Api) -> None:
    body = {**probe({"text": "a"}), "status": {"note": "dropped"}}
    assert "status" not in api.call("POST", api.probes, body).body
    where = f"{api.probes}/p"
    patch = {"status": {"note": "x"}, "spec": {"text": "zz"}, "metadata": {"labels": {"a": "b"}}}
    through_status = api.call("PATCH", f"{where}/status", patch, content_type=MERGE).body
    assert through_status["status"] == {"note": "x"}
    assert through_status["spec"]["text"] == "a"
    assert through_status["metadata"]["generation"] == 1
    through_spec = api.call("PATCH", where, {"status": {"note": "y"}}, content_type=MERGE).body
    assert through_spec["status"] == {"note": "x"}


def test_a_stale_version_conflicts_also_in_a_patch(api: Api) -> None:
    made = api.create({"text": "a"})
    version = made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "spec": {"text": "b"}}
    assert api.call("PATCH", f"{api.probes}/p", patch, content_type=MERGE).code == 200
    assert api.call("PATCH", f"{api.probes}/p", patch, content_type=MERGE).code == 409


def test_a_finalizer_holds_the_object_until_it_is_taken_away(api: Api) -> None:
    where = f"{api.probes}/f"
    api.create({"text": "a"}, "f", finalizers=["contract.finops.dev/hold"])
    held = api.call("DELETE", where)
    assert held.code == 200
    assert held.body["metadata"]["deletionGracePeriodSeconds"] == 0
    assert held.body["metadata"]["generation"] == 2
    more = {"metadata": {"finalizers": ["contract.finops.dev/hold", "contract.finops.dev/more"]}}
    refused = api.call("PATCH", where, more, content_type=MERGE)
    assert refused.code == 422
    assert "no new finalizers can be added if the object is being deleted" in refused.message
    assert api.call("PATCH", where, {"metadata": {"finalizers": None}}, content_type=MERGE).code == 200
    assert api.call("GET", where).code == 404


def test_deletion_can_demand_an_identity(api: Api) -> None:
    made = api.create({"text": "a"})
    wrong = api.call("DELETE", f"{api.probes}/p", {"preconditions": {"uid": "x"}})
    assert wrong.code == 409
    assert "the UID in the precondition (x) does not match the UID in record" in wrong.message
    gone = api.call("DELETE", f"{api.probes}/p", {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert (gone.code, gone.body["status"]) == (200, "Success")
    assert gone.body["details"] == {
        "name": "p",
        "group": "contract.finops.dev",
        "kind": "probes",
        "uid": made["metadata"]["uid"],
    }


def _owner(owner: Obj) -> Obj:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"]}
    return {**reference, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}


def test_dependents_go_with_their_owner(api: Api) -> None:
    owner = api.create({"text": "a"}, "owner")
    api.create({"text": "a"}, "child", ownerReferences=[_owner(owner)])
    api.create({"text": "a"}, "stranger")
    assert api.call("DELETE", f"{api.probes}/owner", {"propagationPolicy": "Background"}).code == 200
    eventually(lambda: api.call("GET", f"{api.probes}/child").code == 404)
    assert api.call("GET", f"{api.probes}/stranger").code == 200


def test_an_object_whose_owner_never_existed_is_collected(api: Api) -> None:
    ghost = {"apiVersion": "contract.finops.dev/v1", "kind": "Probe", "name": "ghost", "uid": unique("uid")}
    api.create({"text": "a"}, "orphan", ownerReferences=[ghost])
    eventually(lambda: api.call("GET", f"{api.probes}/orphan").code == 404)


def test_a_namespace_takes_its_content_with_it(api: Api) -> None:
    name = unique("contract-gone")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    made = api.call("POST", "/api/v1/namespaces", space)
    assert made.body["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
    inside = f"/api/v1/namespaces/{name}/configmaps"
    assert api.call("POST", inside, {"metadata": {"name": "c"}, "data": {"a": "b"}}).code == 201
    deleted = api.call("DELETE", f"/api/v1/namespaces/{name}")
    assert (deleted.code, deleted.body["status"]["phase"]) == (200, "Terminating")
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{name}").code == 404)
    assert api.call("GET", f"{inside}/c").code == 404


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=gold", ["a"]),
        ("tier!=gold", ["b", "c"]),
        ("tier in (gold,iron)", ["a", "b"]),
        ("tier notin (gold)", ["b", "c"]),  # codespell:ignore
        ("tier", ["a", "b"]),
        ("!tier", ["c"]),
        ("tier,zone=1", ["b"]),
    ],
)
def test_lists_are_selected_by_label(api: Api, selector: str, names: list[str]) -> None:
    for name, labels in (("a", {"tier": "gold"}), ("b", {"tier": "iron", "zone": "1"}), ("c", {})):
        api.create({"text": "x"}, name, labels=labels)
    found = api.call("GET", api.probes, query={"labelSelector": selector}).body["items"]
    assert [item["metadata"]["name"] for item in found] == names


def test_lists_are_selected_by_name(api: Api) -> None:
    for name in ("a", "b"):
        api.create({"text": "x"}, name)
    found = api.call("GET", api.probes, query={"fieldSelector": "metadata.name=b"}).body["items"]
    assert [item["metadata"]["name"] for item in found] == ["b"]


def test_long_lists_come_in_pages(api: Api) -> None:
    for index in range(5):
        api.create({"text": "x"}, f"p{index}")
    names, token, rest = [], "", []
    while True:
        query = {"limit": "2", **({"continue": token} if token else {})}
        page = api.call("GET", api.probes, query=query).body
        names += [item["metadata"]["name"] for item in page["items"]]
        rest.append(page["metadata"].get("remainingItemCount"))
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert names == [f"p{index}" for index in range(5)]
    assert rest == [3, 1, None]


def test_tables_have_the_definitions_columns_with_their_priority(api: Api) -> None:
    api.create({"text": "abc", "count": 4})
    table = api.call("GET", api.probes, accept=TABLE).body
    columns = [(c["name"], c["type"], c["priority"]) for c in table["columnDefinitions"]]
    assert columns == [
        ("Name", "string", 0),
        ("Mode", "string", 0),
        ("Count", "integer", 0),
        ("Ready", "string", 0),
        ("Text", "string", 1),
        ("Age", "date", 0),
    ]
    assert table["rows"][0]["cells"][:5] == ["p", "A", 4, None, "abc"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_a_dry_run_answers_and_changes_nothing(api: Api) -> None:
    answer = api.call("POST", api.probes, probe({"text": "a"}), query={"dryRun": "All"})
    assert (answer.code, answer.body["spec"]["count"]) == (201, 3)
    assert api.call("GET", f"{api.probes}/p").code == 404
    refused = api.call("POST", api.probes, probe({"text": "a", "count": 9}), query={"dryRun": "All"})
    assert refused.code == 422


def test_deleting_a_collection_answers_what_went(api: Api) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2"})):
        api.create({"text": "x"}, name, labels=labels)
    gone = api.call("DELETE", api.probes, query={"labelSelector": "x=1"})
    assert [item["metadata"]["name"] for item in gone.body["items"]] == ["a"]
    left = api.call("GET", api.probes).body["items"]
    assert [item["metadata"]["name"] for item in left] == ["b"]


def test_both_event_apis_show_the_same_events(api: Api) -> None:
    about = {"kind": "Probe", "name": "p", "namespace": api.world.namespace}
    event = {"metadata": {"name": "e1"}, "involvedObject": about, "reason": "R", "message": "m", "type": "Normal"}
    assert api.call("POST", f"{api.core}/events", event).code == 201
    newer = f"/apis/events.k8s.io/v1/namespaces/{api.world.namespace}/events"
    seen = api.call("GET", f"{newer}/e1").body
    assert (seen["regarding"]["name"], seen["note"], seen["apiVersion"]) == ("p", "m", "events.k8s.io/v1")
    query = {"fieldSelector": "involvedObject.name=p,type=Normal"}
    found = api.call("GET", f"{api.core}/events", query=query).body["items"]
    assert [item["message"] for item in found] == ["m"]
