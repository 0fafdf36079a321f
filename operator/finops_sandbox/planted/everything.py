"""All that is planted, as the double loads it; and the demo's estate, whose third account has a place of it.

The demo's `services` account so holds one case of every check and its near misses, for kinds beyond EC2 and EBS too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

import yaml

from finops_sandbox.aws.estate import SAMPLE_ESTATE
from finops_sandbox.planted import audits, compute, databases, network, operations, owners, storage
from finops_sandbox.planted.site import Site

_REGIONAL: Final[tuple[Callable[[Site], None], ...]] = (
    databases.instances,
    databases.sizes,
    databases.lifecycles,
    databases.clusters,
    databases.snapshots,
    databases.tables,
    databases.caches,
    storage.file_systems,
    storage.repositories,
    storage.volumes,
    storage.copies,
    network.load_balancers,
    network.addresses,
    network.endpoints,
    compute.instances,
    compute.groups,
    compute.functions,
    compute.services,
    compute.kubernetes,
    compute.learning,
    compute.desktops,
    audits.trails,
    operations.streams,
    operations.keys,
    operations.logs,
    operations.custom_metrics,
    operations.search,
    operations.warehouses,
)


_GLOBAL: Final[tuple[Callable[[Site], None], ...]] = (
    storage.buckets,
    network.distributions,
    network.health_checks,
)
"""Services that an account has once."""
REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "us-east-2")
SERVICES: Final = "333333333333"
"""The demo's third account."""


def planted_sites(accounts: int = 1, regions: int = 1) -> list[Site]:
    """Return the places of the estate, each with all its cases."""
    return [_site(str(number) * 12, region) for number in range(1, accounts + 1) for region in REGIONS[:regions]]


def _site(account: str, region: str) -> Site:
    site = Site(account, region)
    for service in (*_REGIONAL, *(_GLOBAL if region == REGIONS[0] else ())):
        service(site)
    owners.owned(site)
    return site


def document(sites: Iterable[Site]) -> dict[str, Any]:
    """Return the estate as the double loads it."""
    several = list(sites)
    regions: dict[str, list[str]] = defaultdict(list)
    for site in several:
        regions[site.account].append(site.region)
    accounts = {account: {"name": f"account-{account[0]}", "regions": names} for account, names in regions.items()}
    return {"accounts": accounts, "resources": [site.document() for site in several]}


def demo_document() -> dict[str, Any]:
    """Return the sample estate with a third account, `services`, that holds one place of all that is planted."""
    sample: dict[str, Any] = yaml.safe_load(SAMPLE_ESTATE.read_text(encoding="utf-8"))
    site = _site(SERVICES, REGIONS[0])
    sample["accounts"][SERVICES] = {"name": "services", "regions": [site.region]}
    sample["resources"].append(site.document())
    return sample
