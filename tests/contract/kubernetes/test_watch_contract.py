"""Watches: what a client sees from a version on."""

from tests.contract.kubernetes.worlds import MERGE, TABLE, Api, Obj


def _story(events: list[Obj]) -> list[tuple[str, str]]:
    return [(e["type"], e["object"]["metadata"]["name"]) for e in events if e["type"] != "BOOKMARK"]


def _version(api: Api) -> str:
    return str(api.call("GET", api.probes).body["metadata"]["resourceVersion"])


def test_a_watch_from_a_version_gives_everything_after_it(api: Api) -> None:
    api.create({"text": "a"}, "before")
    version = _version(api)
    api.create({"text": "a"}, "p")
    api.call("PATCH", f"{api.probes}/p", {"spec": {"text": "b"}}, content_type=MERGE)
    api.call("DELETE", f"{api.probes}/p")
    events = api.watch(api.probes, resourceVersion=version)
    assert _story(events) == [("ADDED", "p"), ("MODIFIED", "p"), ("DELETED", "p")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions == sorted(set(versions))


def test_a_watch_without_a_version_starts_with_the_present(api: Api) -> None:
    api.create({"text": "a"}, "p")
    assert _story(api.watch(api.probes)) == [("ADDED", "p")]


def test_leaving_a_selection_is_seen_as_a_deletion_and_entering_like_a_creation(api: Api) -> None:
    api.create({"text": "a"}, "p", labels={"tier": "gold"})
    version = _version(api)
    for tier in ("iron", "gold"):
        api.call("PATCH", f"{api.probes}/p", {"metadata": {"labels": {"tier": tier}}}, content_type=MERGE)
    events = api.watch(api.probes, resourceVersion=version, labelSelector="tier=gold")
    assert _story(events) == [("DELETED", "p"), ("ADDED", "p")]


def test_one_object_can_be_watched_by_name(api: Api) -> None:
    version = _version(api)
    for name in ("a", "b"):
        api.create({"text": "x"}, name)
    events = api.watch(api.probes, resourceVersion=version, fieldSelector="metadata.name=b")
    assert _story(events) == [("ADDED", "b")]


def test_a_version_that_is_too_old_is_gone(api: Api) -> None:
    (event,) = api.watch(api.probes, resourceVersion="1")
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")


def test_initial_events_end_with_a_marked_bookmark(api: Api) -> None:
    api.create({"text": "a"}, "p")
    events = api.watch(
        api.probes, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true"
    )
    assert _story(events) == [("ADDED", "p")]
    bookmark = next(e for e in events if e["type"] == "BOOKMARK")
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["object"]["kind"] == "Probe"


def test_kubectls_watch_is_a_stream_of_tables(api: Api) -> None:
    api.create({"text": "a"}, "p")
    answer = api.call("GET", api.probes, accept=TABLE, query={"watch": "1", "timeoutSeconds": "1"})
    assert answer.body["object"]["rows"][0]["cells"][0] == "p"
