"""The loop of webhooks, made from the settings and the other parts."""

from __future__ import annotations

from finops.ledger.signing import Keyring
from finops.ports.clock import Clock
from finops.settings import Settings
from finops_operator.parts.authority import Authority
from finops_operator.parts.cluster import ClusterParts
from finops_operator.webhooks.delivery import Delivery
from finops_operator.webhooks.endpoints import endpoints_from
from finops_operator.webhooks.records import LedgerRecords
from finops_operator.webhooks.sending import Webhooks


def make_webhooks(settings: Settings, cluster: ClusterParts, authority: Authority, clock: Clock) -> Webhooks:
    """Make it; without endpoints it only forgets the queues of those that were. Raises InvalidInput."""
    keys = Keyring.of(settings.ledger_signing_key, settings.ledger_trusted_keys)
    return Webhooks(
        endpoints=endpoints_from(settings.webhooks, allow_internal=settings.webhooks_allow_internal),
        records=LedgerRecords(authority.store, keys),
        delivery=Delivery(allow_internal=settings.webhooks_allow_internal),
        source=f"/finops.dev/{settings.namespace}/{settings.release}",
        secrets=settings.webhook_secrets,
        clock=clock,
        telemetry=cluster.telemetry,
        may_write=authority.keeper.may_write,
    )
