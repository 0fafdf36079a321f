"""What somebody pushed is never acted upon, also where it has the id of a resource that a policy scans."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.chaos.chaos_world import Doubles
from tests.integration.attacks.attacked import Attacked, attacked
from tests.support.act_cases import CASES, find

from finops.domain.resource import IGNORE_TAG, PROTECTED_TAG, Resource
from finops.store.connection import open_store
from finops.store.pushed import PushedResource, PushedResources
from finops_operator.plugins.loaded import plugins
from finops_operator.upkeep.pushed_prices import PushedPrices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ACTIONS = ("lambda_function_set_memory", "elastic_ip_release")


def push(now: Attacked, *resources: Resource) -> None:
    """Keep them as the dashboard does, and let the operator price them."""
    store, clock, loaded = open_store(now.place.world.valkey.url, prefix=now.place.prefix), now.place.clock, plugins()
    items = [PushedResource(one, clock.now(), "system:serviceaccount:x:mallory") for one in resources]
    PushedResources(store).put(now.place.namespace, items)
    PushedPrices(store, loaded.kinds, loaded.price_sources, clock).price()
    assert {name for _, found, costs in PushedResources(store).read(now.place.namespace) for name in found} == {
        one.id for one in resources
    }
    store.client.close()


def twins(action: str) -> tuple[Resource, ...]:
    """The act's own resource as somebody would like it to be, and one like it in an account nobody scans."""
    ref = find(CASES[action][0])
    own = Resource(ref.kind, ref.id, ref.arn, "pushed", ref.account, ref.region, "forged")
    return (
        own,
        replace(
            own, id=f"{own.id}-elsewhere", account="444455556666", arn=own.arn.replace(own.account, "444455556666")
        ),
    )


def carried_out(now: Attacked) -> None:
    """Let the operator go on until it has called AWS: on a busy machine the lease is late now and then."""
    for _ in range(20):
        now.look()
        if now.called:
            break


@pytest.mark.parametrize("action", ACTIONS)
def test_a_pushed_entry_with_the_id_of_a_scanned_resource_permits_nothing_and_changes_no_act(
    action: str, world: Doubles
) -> None:
    with attacked(world, action) as now:
        push(now, *twins(action))
        for _ in range(3):
            now.look()
        assert (now.state, now.called) == ("Pending", 0)
        now.vote("alice")
        now.look()
        assert (now.state, now.called) == ("Pending", 0)
        now.vote("bob")
        carried_out(now)
        # One request, one call, of the resource as AWS has it.
        assert len(now.place.objects("actionrequests")) == 1
        assert (now.called, now.violations) == (1, [])


def test_a_pushed_entry_neither_protects_nor_takes_protection_away(world: Doubles) -> None:
    """The gate reads tags from AWS: what was pushed cannot stop an act that people approved either."""
    own, _ = twins(ACTIONS[0])
    with attacked(world, ACTIONS[0]) as now:
        push(now, replace(own, tags={PROTECTED_TAG: "true", IGNORE_TAG: "true"}))
        now.vote("alice")
        now.vote("bob")
        carried_out(now)
        assert (now.called, now.violations) == (1, [])
