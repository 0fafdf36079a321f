"""The control side: faults, clock, changes by hand, fleets, record and reset, in Python and as JSON over HTTP.

Tests in the same process use :class:`Control`; everyone else ``/_sandbox/…``, which :class:`ControlApi` maps onto it.
A change by hand stands for a person in the AWS console: it is never recorded as a caller's.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from finops_sandbox.aws import (
    addresses,
    buckets,
    database_clusters,
    database_snapshots,
    databases,
    functions,
    held,
    images,
    log_groups,
    nat_gateways,
    services,
    snapshots,
    tables,
    wire,
)
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.faults import FaultBook
from finops_sandbox.aws.fleet import Fleet
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.record import CallLog, CallRecord
from finops_sandbox.aws.transitions import begin, force_state, settle
from finops_sandbox.aws.volumes import render_snapshot, render_volume

_CHANGES = {
    "type",
    "state",
    "tags",
    "removeTags",
    "size",
    "detach",
    "delete",
    "protectStop",
    "volumeType",
    "retention",
    "mode",
    "capacity",
    "desired",
    "class",
    "window",
    "scaled",
    "memory",
    "shared",
    "instance",
    "reverseName",
    "offeredTo",
    "lock",
    "fastRestore",
    "sharedWith",
    "image",
    "route",
    "traffic",
    "rules",
    "members",
    "further",
}
_KINDS = (buckets, log_groups, tables)
_KINDS_WITH_TIME = (database_clusters, database_snapshots, databases, functions, services)
"""Beside EC2, by their prefixes: those whose changes take time also need the estate's clock."""
Document = dict[str, Any]


class Control:
    """What a test may do to the double's estate."""

    def __init__(self, estate: LiveEstate, log: CallLog, reload_estate: Callable[[], None]) -> None:
        self._estate = estate
        self._log = log
        self._reload = reload_estate

    @property
    def faults(self) -> FaultBook:
        return self._estate.faults

    def inject(self, fault: Mapping[str, Any]) -> str:
        """Arm a fault, see :mod:`finops_sandbox.aws.faults`; returns its id."""
        return self._estate.faults.inject(fault)

    def clear_faults(self) -> None:
        self._estate.faults.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass on the double's clock."""
        self._estate.clock.advance(seconds)

    def calls(self, since: int = 0) -> list[CallRecord]:
        return self._log.since(since)

    def reset(self) -> None:
        """The estate as loaded; faults, record and clock too."""
        self._reload()

    def fleet(self, account: str, region: str, *, instances: int, volumes: int = 0, age_days: int = 60) -> None:
        """Answer one account and region from generated pages from now on."""
        # At midnight: the fleet of a second scan of the day is the same one.
        midnight = self._estate.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        launched = midnight - timedelta(days=age_days)
        fleet = Fleet(account, region, instances, max(volumes, instances), launched)
        with self._estate.lock:
            self._estate.fleets[account, region] = fleet

    def resource(self, account: str, region: str, resource_id: str) -> Document:
        """State of one resource as AWS holds it.

        Raises:
            AwsError: the id is unknown.
        """
        estate = self._estate
        with estate.lock:
            if resource_id.startswith(held.PREFIX):
                return held.shown(held.find(self._held(account, region), resource_id.removeprefix(held.PREFIX)))
            for kind in _KINDS_WITH_TIME:
                if resource_id.startswith(kind.PREFIX):
                    found: Document = kind.shown(estate, account, region, resource_id.removeprefix(kind.PREFIX))
                    return found
            for plain in _KINDS:
                if resource_id.startswith(plain.PREFIX):
                    known: Document = plain.shown(account, region, resource_id.removeprefix(plain.PREFIX))
                    return known
            settle(estate, account, region)
            if resource_id.startswith(addresses.PREFIX):
                return addresses.shown(estate, account, region, resource_id)
            if resource_id.startswith(nat_gateways.PREFIX):
                return nat_gateways.shown(estate, account, region, resource_id)
            if resource_id.startswith(images.PREFIX):
                return images.shown(estate, account, region, resource_id)
            if resource_id.startswith("vol-"):
                return _volume_shown(estate, account, region, resource_id)
            if resource_id.startswith("snap-"):
                snapshot = snapshots.find(estate, account, region, resource_id)
                shown = render_snapshot(estate, account, region, snapshot)
                tags = estate.tags(account, region, resource_id)
                return {"id": resource_id, "kind": "ebs-snapshot", "state": shown["State"], "tags": tags}
            instance = estate.instance(account, region, resource_id)
            return {
                "id": resource_id,
                "kind": "ec2-instance",
                "type": instance.instance_type,
                "state": instance.state,
                "zone": instance.availability_zone,
                "tags": estate.tags(account, region, resource_id),
            }

    def change(self, account: str, region: str, resource_id: str, changes: Mapping[str, Any]) -> Document:
        """Change a resource as a person would, past every rule; returns its state afterwards.

        Raises:
            AwsError: the id is unknown.
            ValueError: a change that this resource does not have.
        """
        unknown = set(changes) - _CHANGES
        if unknown:
            raise ValueError(f"unknown change {', '.join(sorted(unknown))}")
        estate = self._estate
        with estate.lock:
            self._change(account, region, resource_id, changes)
            if changes.get("delete"):
                return {"id": resource_id, "deleted": True}
        return self.resource(account, region, resource_id)

    def _held(self, account: str, region: str) -> dict[tuple[str, str], held.HeldResource]:
        found = self._estate.further.held.get((account, region), {})
        held.settle(found, self._estate.clock.now())
        return found

    def _change(self, account: str, region: str, resource_id: str, changes: Mapping[str, Any]) -> None:
        if resource_id.startswith(held.PREFIX):
            held.change(self._held(account, region), resource_id.removeprefix(held.PREFIX), changes)
            return
        for kind in _KINDS_WITH_TIME:
            if resource_id.startswith(kind.PREFIX):
                kind.change(self._estate, account, region, resource_id.removeprefix(kind.PREFIX), changes)
                return
        for plain in _KINDS:
            if resource_id.startswith(plain.PREFIX):
                plain.change(account, region, resource_id.removeprefix(plain.PREFIX), changes)
                return
        self._change_in_ec2(account, region, resource_id, changes)

    def _change_in_ec2(self, account: str, region: str, resource_id: str, changes: Mapping[str, Any]) -> None:
        settle(self._estate, account, region)
        backend = self._estate.backend(account, region)
        if "tags" in changes:
            backend.tags[resource_id].update({str(key): str(value) for key, value in changes["tags"].items()})
        for key in changes.get("removeTags", ()):
            backend.tags[resource_id].pop(key, None)
        if resource_id.startswith("vol-"):
            self._change_volume(account, region, resource_id, changes)
        elif resource_id.startswith(addresses.PREFIX):
            addresses.change(self._estate, account, region, resource_id, changes)
        elif resource_id.startswith(images.PREFIX):
            images.change(self._estate, account, region, resource_id, changes)
        elif resource_id.startswith(snapshots.PREFIX):
            snapshots.change(self._estate, account, region, resource_id, changes)
        elif resource_id.startswith(nat_gateways.PREFIX):
            nat_gateways.change(self._estate, account, region, resource_id, changes)
        elif resource_id.startswith("i-"):
            self._change_instance(account, region, resource_id, changes)

    def _change_instance(self, account: str, region: str, resource_id: str, changes: Mapping[str, Any]) -> None:
        instance = self._estate.instance(account, region, resource_id)
        if "state" in changes:
            if changes["state"] not in {"running", "stopped"}:
                raise ValueError("state is running or stopped")
            force_state(self._estate, instance, str(changes["state"]))
        if "type" in changes:
            instance.instance_type = str(changes["type"])
        if "protectStop" in changes:
            instance.disable_api_stop = bool(changes["protectStop"])
        if changes.get("delete"):
            begin(self._estate, instance, "shutting-down", "terminated")

    def _change_volume(self, account: str, region: str, resource_id: str, changes: Mapping[str, Any]) -> None:
        volume = self._estate.volume(account, region, resource_id)
        if "size" in changes:
            volume.size = int(changes["size"])
        if "volumeType" in changes:
            volume.volume_type = str(changes["volumeType"])
        backend = self._estate.backend(account, region)
        if changes.get("detach") and volume.attachment is not None:
            instance = volume.attachment.instance
            stopped = self._estate.instance_facts(instance).not_running
            self._estate.volume_facts(volume).detach(self._estate.clock.now(), stopped)
            backend.detach_volume(resource_id, instance.id, volume.attachment.device)
        if changes.get("delete"):
            backend.volumes.pop(resource_id)


class ControlApi:
    """Maps ``/_sandbox/…`` onto :class:`Control`."""

    def __init__(self, control: Control, estate: LiveEstate, log: CallLog) -> None:
        self._control = control
        self._estate = estate
        self._log = log
        self.ready = False

    def handle(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """Answer a control request with status and JSON document."""
        url = urlsplit(target)
        parts = [unquote(part) for part in url.path.removeprefix("/_sandbox/").strip("/").split("/")]
        try:
            return self._route(method, parts, parse_qs(url.query), _object(body))
        except AwsError as error:
            return 404, {"error": error.message, "code": error.code}
        except (ValueError, TypeError, KeyError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def _route(self, method: str, parts: list[str], query: Mapping[str, list[str]], body: Document) -> tuple[int, Any]:
        match [method, *parts]:
            case ["GET", "health"]:
                return (200, {"status": "ok"}) if self.ready else (503, {"status": "loading"})
            case [_, "calls" | "counts" | "services" | "sessions" as what]:
                return self._route_record(method, what, query)
            case ["GET", "clock"]:
                return 200, {"now": self._estate.clock.now().isoformat()}
            case ["POST", "clock"]:
                return 200, {"now": self._estate.clock.advance(float(body["advanceSeconds"])).isoformat()}
            case ["GET", "resources", account, region, resource_id]:
                return 200, self._control.resource(account, region, resource_id)
            case ["POST", "resources", account, region, resource_id]:
                return 200, self._control.change(account, region, resource_id, body)
            case ["POST", "fleet"]:
                counts = {"instances": int(body["instances"]), "volumes": int(body.get("volumes", 0))}
                self._control.fleet(str(body["account"]), str(body["region"]), **counts)
                return 200, {}
            case ["POST", "reset"]:
                self._control.reset()
                return 200, {}
            case [_, "faults", *rest]:
                return self._route_faults(method, rest, body)
        return 404, {"error": f"no such control call: {method} /{'/'.join(parts)}"}

    def _route_record(self, method: str, what: str, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        match method, what:
            case "GET", "calls":
                since = int(query.get("since", ["0"])[0])
                return 200, {"calls": [call.as_json() for call in self._log.since(since)]}
            case "GET", "sessions":
                return 200, {"sessions": [call.as_json() for call in self._log.sessions()]}
            case "GET", "services":
                return 200, _services(self._log)
            case "GET", "counts":
                return 200, dict(self._log.counts())
            case "DELETE", "calls":
                self._log.clear()
                return 200, {}
        return 404, {"error": "no such control call"}

    def _route_faults(self, method: str, rest: list[str], body: Document) -> tuple[int, Any]:
        match [method, *rest]:
            case ["GET"]:
                return 200, {"faults": self._estate.faults.listing()}
            case ["POST"]:
                return 201, {"id": self._control.inject(body)}
            case ["DELETE"]:
                self._control.clear_faults()
                return 200, {}
            case ["DELETE", fault_id]:
                return (200, {}) if self._estate.faults.remove(fault_id) else (404, {"error": f"no fault {fault_id}"})
        return 404, {"error": "no such control call"}


def _services(log: CallLog) -> Document:
    """Return the services of the strict layer, and those that moto alone was asked for."""
    strict = wire.strict_services()
    named = {"cloudwatch": "monitoring"}
    asked = {name.partition(":")[0] for name in log.counts()}
    return {"strict": strict, "notStrict": sorted(one for one in asked if named.get(one, one) not in strict)}


def _object(body: bytes) -> Document:
    document = json.loads(body) if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    return document


def _volume_shown(estate: LiveEstate, account: str, region: str, volume_id: str) -> Document:
    shown = render_volume(estate, account, region, estate.volume(account, region, volume_id))
    return {
        "id": volume_id,
        "kind": "ebs-volume",
        "type": shown["VolumeType"],
        "state": shown["State"],
        "size": shown["Size"],
        "iops": shown["Iops"],
        "throughput": shown["Throughput"],
        "attachedTo": [f"{one['InstanceId']}:{one['Device']}" for one in shown["Attachments"]],
        "tags": estate.tags(account, region, volume_id),
    }
