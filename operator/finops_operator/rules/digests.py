"""Whether the new requests of a scan get cards of their own or come together in one message; pure.

Called by the proposer when it knows how many there are. Requests are made in the order in which their cards are posted:
the best saving last, nearest the reader's eye.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from finops.crds.action_request import ActionRequest, ActionRequestSpec, DigestEntry
from finops.crds.scan_policy import ScanPolicy

_DAY = timedelta(days=1)


def in_order(
    policy: ScanPolicy, specs: Sequence[ActionRequestSpec], requests: Iterable[ActionRequest], now: datetime
) -> tuple[ActionRequestSpec, ...]:
    """Return the specs in the order in which their requests are made, those of a digest with their place in it.

    Args:
        policy: says how many cards of their own a day may bring.
        specs: what is about to be proposed.
        requests: all that there are; those of this policy made in the last 24 hours count.
        now: names the digest.
    """
    ordered = sorted(specs, key=_saving_first)
    shown = [spec for spec in ordered if spec.slack_channel is not None]
    slack = policy.spec.notify.slack
    # A message that lists one request would say everything twice.
    if slack is None or len(shown) < 2 or len(shown) + _cards(policy, requests, now) <= slack.cards_per_day:
        return tuple(ordered)
    name, places = f"{now:%Y%m%dt%H%M%S}z", {id(spec): number for number, spec in enumerate(shown, start=1)}
    return tuple(
        spec.model_copy(update={"slack_digest": DigestEntry(id=name, position=places[id(spec)], size=len(shown))})
        if id(spec) in places
        else spec
        for spec in ordered
    )


def _saving_first(spec: ActionRequestSpec) -> tuple[bool, Decimal, str]:
    """Order by saving, smallest first; one that nobody can know comes before them all."""
    saving = spec.estimate.monthly_savings
    return saving is not None, saving or Decimal(0), spec.resource.arn


def _cards(policy: ScanPolicy, requests: Iterable[ActionRequest], now: datetime) -> int:
    """Count the policy's cards of the last 24 hours that were messages of their own."""
    return sum(
        1
        for request in requests
        if request.metadata.namespace == policy.metadata.namespace
        and request.spec.policy == policy.metadata.name
        and request.spec.slack_channel is not None
        and request.spec.slack_digest is None
        and request.spec.undoes is None
        and request.metadata.creation_timestamp is not None
        and now - request.metadata.creation_timestamp < _DAY
    )
