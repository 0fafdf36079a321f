"""What is kept of policies and shards goes with them, on proof by the API server, and never anybody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.operator_rig import eventually, running_rig
from tests.support.scan_samples import ACCOUNT, account, gap, policy, summary

from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Resource, Shard
from finops.errors import ClusterUnavailable, FinopsError, Refused
from finops.k8s.connection import connect
from finops.k8s.kinds import aws_accounts, scan_policies
from finops.store.connection import open_store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops_operator.upkeep.duty import Duty

HERE, THERE = Shard(ACCOUNT, "us-east-1", "ec2-instance"), Shard(ACCOUNT, "eu-west-1", "ec2-instance")


@pytest.fixture(autouse=True)
def production(parts: Parts) -> Iterator[None]:
    api = aws_accounts(parts.connection)
    api.create(account())
    yield
    api.delete("", "production")


def create(parts: Parts, name: str, **spec: Any) -> ScanPolicy:
    # Written past the cache, which must not be what decides.
    return scan_policies(parts.connection).create(policy(name=name, **spec))


def scanned(parts: Parts, name: str, *shards: Shard, uid: str = "", generation: str = "g1") -> None:
    """Leave what a scan leaves that ends now."""
    now, resources = parts.clock.now(), InventoryStore(parts.store)
    for shard in shards:
        made = Resource(shard.kind, "i-1", "arn:1", "", shard.account, shard.region, "running")
        resources.add(shard, f"{name}-{generation}", 0, [made])
        resources.swap(ShardHead(shard, f"{name}-{generation}", 1, 1, 1, (), now, now, now, {}))
    told = summary(start_time=now, completion_time=now)
    seen = tuple((shard, f"{name}-{generation}") for shard in shards)
    RecommendationStore(parts.store).swap((NAMESPACE, name), PolicyHead(generation, told, seen, uid=uid))
    parts.telemetry.scans.labels(NAMESPACE, name, "completed").inc()
    parts.telemetry.resources.labels(NAMESPACE, name).set(1)
    parts.telemetry.scan_seconds.labels(NAMESPACE, name).observe(1)


def look(parts: Parts) -> None:
    parts.clock.sleep(301)
    parts.cleanup.clean_up()


def known(parts: Parts) -> set[str]:
    return {name for _, name in RecommendationStore(parts.store).policies()}


def shards(parts: Parts) -> tuple[Shard, ...]:
    return InventoryStore(parts.store).shards()


def series(parts: Parts) -> set[str]:
    """The policies that any series is about."""
    found = (sample.labels.get("policy") for one in parts.telemetry.registry.collect() for sample in one.samples)
    return {name for name in found if name}


def test_a_deleted_policy_goes_with_its_figures_and_others_stay(parts: Parts) -> None:
    for name in ("kept", "deleted"):
        made = create(parts, name)
        scanned(parts, name, HERE, uid=made.metadata.uid or "")
    look(parts)
    assert known(parts) == series(parts) == {"kept", "deleted"}

    scan_policies(parts.connection).delete(NAMESPACE, "deleted")
    look(parts)

    assert known(parts) == series(parts) == {"kept"}
    assert shards(parts) == (HERE,)


def test_what_cannot_be_read_stays_with_every_shard_and_keeps_nothing_else_from_going(parts: Parts) -> None:
    # Nobody who can be read asks for the shard of the one that cannot.
    create(parts, "kept", regions=[HERE.region])
    for name, shard in (("kept", HERE), ("broken", THERE), ("deleted", HERE)):
        scanned(parts, name, shard)
    parts.store.client.hset(parts.store.keys.policy(NAMESPACE, "broken").head, "shards", "no JSON")
    parts.clock.sleep(2 * 86_400)

    parts.housekeeping.run_duties()

    assert known(parts) == {"kept", "broken"}
    assert shards(parts) == (THERE, HERE)


def test_a_defect_in_one_duty_keeps_none_of_the_others_from_being_done(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    scanned(parts, "deleted")

    def broken() -> None:
        raise KeyError("costs")

    duties = parts.housekeeping.duties
    replace(parts.housekeeping, duties=(Duty("slack channels", broken), *duties)).run_duties()

    assert known(parts) == set()
    (told,) = (one for one in caplog.records if one.exc_info is not None)
    assert (told.levelname, told.getMessage()) == ("ERROR", "housekeeping, slack channels")


def test_the_housekeeper_of_the_process_that_may_write_sees_to_it(parts: Parts) -> None:
    scanned(parts, "deleted")
    parts.writable = False
    parts.housekeeping.run_duties()
    assert known(parts) == {"deleted"}
    parts.writable = True
    parts.housekeeping.run_duties()
    assert known(parts) == set()


def test_a_policy_that_the_watch_has_not_shown_is_there_all_the_same(parts: Parts) -> None:
    create(parts, "new")
    scanned(parts, "new", HERE)
    assert parts.cache.policies.all() == ()
    look(parts)
    assert known(parts) == series(parts) == {"new"}


def test_a_policy_made_anew_loses_what_the_old_one_left_and_keeps_its_own(parts: Parts) -> None:
    old = create(parts, "p")
    scan_policies(parts.connection).delete(NAMESPACE, "p")
    new = create(parts, "p")
    scanned(parts, "p", HERE, uid=old.metadata.uid or "")
    look(parts)
    assert known(parts) == set()
    assert series(parts) == {"p"}

    scanned(parts, "p", HERE, uid=new.metadata.uid or "", generation="g2")
    look(parts)
    assert known(parts) == {"p"}


def test_a_policy_scanned_while_the_api_server_is_asked_keeps_what_it_found(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(parts, "p", uid="old")
    api, made = parts.policies.api, policy(name="p")

    class Slow:
        """Answers with the policies of a moment before the new one was made and scanned."""

        def list(self, namespace: str | None = None) -> list[ScanPolicy]:
            return list(api.list(namespace))

        def get(self, _namespace: str, _name: str) -> None:
            scanned(parts, "p", uid=made.metadata.uid or "", generation="g2")

    monkeypatch.setattr(parts.policies, "api", Slow())
    look(parts)

    (found,) = (RecommendationStore(parts.store).head((NAMESPACE, name)) for name in known(parts))
    assert found is not None
    assert (found.generation, found.uid) == ("g2", made.metadata.uid)


def test_nothing_is_forgotten_while_the_api_server_cannot_be_reached(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(parts, "deleted", HERE)

    class Silent:
        def list(self, namespace: str | None = None) -> Iterator[ScanPolicy]:
            yield policy(name="first of two pages")
            raise ClusterUnavailable("the second page did not come")

    with monkeypatch.context() as patched:
        patched.setattr(parts.policies, "api", Silent())
        with pytest.raises(FinopsError):
            look(parts)
    assert known(parts) == series(parts) == {"deleted"}
    # It is asked again at the next look, not only minutes later.
    parts.cleanup.clean_up()
    assert known(parts) == set()


@pytest.mark.parametrize("unread", ["team-b", NAMESPACE])
def test_a_namespace_that_cannot_be_read_keeps_what_is_its_own_and_all_shards(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, unread: str
) -> None:
    create(parts, "other")
    scanned(parts, "other")
    scanned(parts, "deleted", HERE)
    parts.cache.watches([NAMESPACE, "team-b"])
    readable = parts.policies.api.list

    def refused(where: str | None) -> Iterator[ScanPolicy]:
        if where == unread:
            raise Refused("forbidden", code="Forbidden")
        return readable(where)

    monkeypatch.setattr(parts.policies.api, "list", refused)
    look(parts)

    left = {"other"} if unread == "team-b" else {"other", "deleted"}
    assert known(parts) == series(parts) == left
    assert shards(parts) == (HERE,)


def test_a_policy_that_this_version_cannot_read_is_there(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(parts, "newer", HERE)
    InventoryStore(parts.store).note_failure(THERE, [gap("UnauthorizedOperation")], parts.clock.now())
    raw = policy(name="newer").to_object()
    raw["spec"]["newerField"] = True
    parts.cache.policies.saw(raw)

    class Newer:
        """What `KindApi` answers about an object that a newer version of the kind allows."""

        def list(self, namespace: str | None = None) -> list[ScanPolicy]:
            return []

        def get(self, _namespace: str, _name: str) -> ScanPolicy:
            return ScanPolicy.from_object(raw)

    monkeypatch.setattr(parts.policies, "api", Newer())
    look(parts)

    assert known(parts) == series(parts) == {"newer"}
    assert THERE in shards(parts)


def test_namespaces_that_are_not_watched_prove_nothing(parts: Parts) -> None:
    scanned(parts, "deleted")
    parts.cache.watches(["team-b"])
    look(parts)
    assert known(parts) == {"deleted"}
    parts.cache.watches([NAMESPACE, "team-b"])
    look(parts)
    assert known(parts) == set()


def test_a_failed_listing_of_a_region_goes_with_the_last_policy_that_asks_for_it(parts: Parts) -> None:
    for name in ("narrow", "wide"):
        create(parts, name, regions=["us-east-1"] if name == "narrow" else ["us-east-1", "eu-west-1"])
        scanned(parts, name, HERE)
    InventoryStore(parts.store).note_failure(THERE, [gap("UnauthorizedOperation")], parts.clock.now())
    look(parts)
    assert shards(parts) == (THERE, HERE)

    scan_policies(parts.connection).delete(NAMESPACE, "wide")
    look(parts)

    assert shards(parts) == (HERE,)


def test_a_shared_shard_stays_as_long_as_any_policy_names_it_and_then_for_a_day(parts: Parts) -> None:
    api = scan_policies(parts.connection)
    for name in ("a", "b"):
        create(parts, name)
        scanned(parts, name, HERE)
    for name in ("a", "b"):
        api.delete(NAMESPACE, name)
        parts.clock.sleep(timedelta(hours=13).total_seconds())
        look(parts)
        assert shards(parts) == (HERE,)

    look(parts)

    assert known(parts) == set()
    assert shards(parts) == ()
    assert InventoryStore(parts.store).get(HERE, "i-1") is None


def test_the_running_operator_forgets_the_policy_it_scanned_when_another_takes_its_name(tmp_path: Path) -> None:
    with running_rig(tmp_path) as rig:
        case, other = rig.case(), rig.case()
        for one in (case, other):
            one.apply()
            one.proposed()
        store = open_store(rig.valkey.url)
        recommendations = RecommendationStore(store)
        scans = {head.uid for head in map(recommendations.head, recommendations.policies()) if head is not None}
        assert scans == {case.policy()["metadata"]["uid"], other.policy()["metadata"]["uid"]}

        rig.kill()
        scan_policies(connect(str(rig.k8s.kubeconfig), "admin")).delete(case.name, "p")
        case.apply(suspend=True)
        rig.start()

        eventually(lambda: recommendations.policies() == ((other.name, "p"),), what=rig.tail())
        assert InventoryStore(store).shards()
        store.client.close()
