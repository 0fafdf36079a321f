"""How many acts a policy allows, on the real store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops.store.caps import StoredCaps
from finops.store.connection import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TENANT = Tenant(namespace="team-a", policy="savings")
ACCESS = AccountAccess(name="production", account_id="111111111111")


def act(uid: str, kind: str = "ec2-instance", *, per_hour: int = 100, percent: int = 10, fleet: int = 10) -> ActRequest:
    """One act on a resource of its own."""
    resource = ResourceRef(
        kind=kind, id=f"{kind}-{uid}", arn=f"arn:aws:ec2:::{kind}/{uid}", account="111111111111", region="us-east-1"
    )
    plan = Plan("an_action", resource, {}, (), {})
    limits = Limits(per_hour=per_hour, per_day=100, percent_of_fleet=percent, fleet=fleet)
    return ActRequest(
        uid=uid, name=uid, tenant=TENANT, access=ACCESS, plan=plan, plan_hash=plan.hash, deciders=(), limits=limits
    )


def refused(caps: StoredCaps, request: ActRequest, now: datetime = NOW) -> str:
    stop = caps.admit(request, now)
    return stop.code if stop else ""


def test_acts_on_one_kind_do_not_use_up_the_share_of_another_kinds_fleet(store: Store) -> None:
    caps = StoredCaps(store)
    assert refused(caps, act("instance", fleet=100)) == ""
    assert refused(caps, act("volume", "ebs-volume", fleet=10)) == ""

    stop = caps.admit(act("volume-2", "ebs-volume", fleet=10), NOW)

    assert stop is not None
    assert (stop.code, stop.message) == (
        "PercentOfFleet",
        "Waiting: the policy allows acts on 10 % of its 10 ebs-volume resources a day.",
    )


def test_hour_and_day_count_acts_on_all_kinds(store: Store) -> None:
    caps = StoredCaps(store)
    assert refused(caps, act("instance")) == ""
    assert refused(caps, act("volume", "ebs-volume", per_hour=1)) == "PerHour"
    day = replace(act("volume", "ebs-volume"), limits=Limits(per_hour=9, per_day=1, percent_of_fleet=100, fleet=10))
    assert refused(caps, day) == "PerDay"


def test_an_act_that_changed_nothing_gives_its_share_back_and_one_that_did_keeps_it_for_a_day(store: Store) -> None:
    caps = StoredCaps(store)
    for counted, then in ((False, ""), (True, "PercentOfFleet")):
        first = act(f"first-{counted}", f"kind-{counted}")
        assert refused(caps, first) == ""
        assert refused(caps, first) == "", "the same act again takes no second place"
        caps.release(first, counted=counted)
        assert refused(caps, act(f"second-{counted}", f"kind-{counted}")) == then
    assert refused(caps, act("third", "kind-True"), NOW + timedelta(days=1, seconds=1)) == ""


def test_an_act_that_lasts_keeps_its_resource_and_a_forgotten_one_frees_it(store: Store) -> None:
    """An act that lasts longer than its lock keeps it: it is held anew at each reading."""
    caps, request = StoredCaps(store), act("u1")
    key = store.keys.caps(f"resource:{request.plan.resource.arn}")
    assert refused(caps, request) == ""
    assert 0 < store.client.ttl(key) <= 3600
    store.client.expire(key, 1)

    assert caps.hold(request)
    assert store.client.ttl(key) > 3000
    other = replace(request, uid="u2")
    assert not caps.hold(other)
    assert refused(caps, other) == "ResourceBusy"
    store.client.delete(key)
    assert caps.hold(request)
    assert refused(caps, other) == "ResourceBusy"


def test_a_request_that_ended_without_a_call_gives_everything_back(store: Store) -> None:
    """A kill leaves no place of a cap taken for good: between admission and start nobody but the decider ends it."""
    caps, request = StoredCaps(store), act("u1", per_hour=1)
    assert refused(caps, request) == ""
    resource = request.plan.resource
    caps.give_back(request.uid, TENANT, arn=resource.arn, kind=resource.kind)
    caps.give_back(request.uid, TENANT, arn=resource.arn, kind=resource.kind)

    assert refused(caps, replace(request, uid="u2")) == ""
