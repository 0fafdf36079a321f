"""Time passes in an estate: instances change their states, modifications of volumes are applied.

The gateway lets everything that is due happen before a handler reads; handlers begin transitions. All of it happens
under the estate's lock.
"""

from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws import nat_gateways
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.facts import InstanceFacts, Modification, Transition
from finops_sandbox.aws.live_estate import LiveEstate

STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# EC2 user guide: a terminated instance stays visible for about an hour.
_TERMINATED_VISIBLE = timedelta(hours=1)


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let everything that is due in one account and region happen."""
    now = estate.clock.now()
    backend = estate.backend(account, region)
    for key, reservation in list(backend.reservations.items()):
        for instance in list(reservation.instances):
            facts = estate.instance_facts(instance)
            if facts.transition is not None and facts.transition.due <= now:
                _finish(estate, instance, facts, facts.transition)
            if facts.terminated_at is not None and facts.terminated_at + _TERMINATED_VISIBLE <= now:
                reservation.instances.remove(instance)
        if not reservation.instances:
            del backend.reservations[key]
    nat_gateways.settle(estate, account, region)
    for volume in list(backend.volumes.values()):
        facts_of_volume = estate.volumes.get(volume.id)
        if facts_of_volume is not None and facts_of_volume.modifications:
            _apply_modification(estate, volume, facts_of_volume.modifications[-1], now)


def begin(estate: LiveEstate, instance: Any, state: str, target: str, *, failure: str = "") -> None:
    """Put an instance into a transitional state that ends in ``target`` after the configured delay."""
    facts = estate.instance_facts(instance)
    now = estate.clock.now()
    set_state(instance, state)
    facts.transition = Transition(target, now + timedelta(seconds=estate.delays.state_seconds), failure)
    if state == "pending":
        instance.launch_time = naive_utc(now)
    else:
        facts.ends_running(now)


def _finish(estate: LiveEstate, instance: Any, facts: InstanceFacts, transition: Transition) -> None:
    facts.transition = None
    if transition.target == "running":
        instance.start()
        facts.begins_running(transition.due)
        facts.status_ok_at = transition.due + timedelta(seconds=estate.delays.status_check_seconds)
    elif transition.target == "stopped":
        instance.stop()
        if transition.failure:
            instance.state_reason.code = transition.failure
            instance.state_reason.message = f"{transition.failure}: Client error on launch"
            instance._reason = transition.failure  # noqa: SLF001 - moto has no setter
    else:
        facts.terminated_at = transition.due
        _close_attachments(estate, instance, transition.due)
        instance.terminate()


def _close_attachments(estate: LiveEstate, instance: Any, moment: datetime) -> None:
    for _, block in instance.get_block_device_mapping:
        facts = estate.volumes.get(block.volume_id)
        if facts is not None:
            facts.detach(moment, estate.instance_facts(instance).not_running)


def _apply_modification(estate: LiveEstate, volume: Any, modification: Modification, now: datetime) -> None:
    optimizing_from = modification.start + timedelta(seconds=estate.delays.modification_seconds)
    if not modification.applied and optimizing_from <= now:
        modification.applied = True
        volume.volume_type, volume.size = modification.target.volume_type, modification.target.size
        volume.iops, volume.throughput = modification.target.iops, modification.target.throughput


def force_state(estate: LiveEstate, instance: Any, state: str) -> None:
    """A person's hand: running or stopped at once, as if it had happened long enough ago."""
    facts = estate.instance_facts(instance)
    now = estate.clock.now()
    facts.transition = None
    if state == "running":
        instance.launch_time = naive_utc(now)
        instance.start()
        facts.begins_running(now)
        facts.status_ok_at = now
    else:
        instance.stop()
        facts.ends_running(now)


def set_state(instance: Any, name: str) -> None:
    """Write a state into moto's instance, which has setters only for the final ones."""
    instance._state.name = name  # noqa: SLF001 - moto has no setter
    instance._state.code = STATE_CODES[name]  # noqa: SLF001 - as above
