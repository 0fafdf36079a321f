"""A canned AWS endpoint to measure scans against: `python -m tests.support.canned_aws` prints where it listens.

One process, one asyncio loop, answers prepared before the scan: what is measured beside it waits for nothing but the
round trip that it is ordered to take. It speaks what scans of EC2 ask: EC2, STS and CloudWatch in JSON, CBOR and
query, and Savings Plans; anything else it refuses. It checks no signatures. `canned_control.py` starts and steers it.

Control, in JSON: `POST /_canned/fleet` {"size", "now", "replacedPercent"} prepares a fleet, `POST /_canned/switches`
{"latencyMilliseconds", "quotas", "throttledShare", "throttledServices"} sets the switches and the counters to zero,
`GET /_canned/counters` reads them.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from tests.support.canned_fleet import PAGE, CannedFleet, inner
from tests.support.canned_limits import Counters, Limits
from tests.support.canned_metrics import metric_data, metric_statistics

from finops_sandbox.aws.errors import AwsError, in_words_of, throttled
from finops_sandbox.aws.wire import (
    Answer,
    decode_cbor,
    load_model,
    operation_model,
    parse_document,
    parse_query,
    write_document,
    write_ec2,
    write_error,
    write_query,
)

ACCOUNT: Final = "111111111111"
REGION: Final = "us-east-1"
CONTROL: Final = "/_canned/"
_AGE: Final = timedelta(days=400)
_LISTS: Final = {"DescribeInstances": "Reservations", "DescribeVolumes": "Volumes"}
_EMPTY: Final[Mapping[str, Mapping[str, Any]]] = {
    "DescribeCapacityReservations": {"CapacityReservations": []},
    "DescribeReservedInstances": {"ReservedInstances": []},
    "DescribeTags": {"Tags": []},
}
_PLANS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/DescribeSavingsPlans": {"savingsPlans": []},
    "/DescribeSavingsPlanRates": {"searchResults": []},
}
_SERVICES: Final = {"monitoring": "cloudwatch"}
"""Where the name of a signature is not the SDK's."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: `headers` by their names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """Return the service that the signature names, as the SDK calls it."""
        scope = self.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        signed = scope[3] if len(scope) > 3 else ""
        return _SERVICES.get(signed, signed)


@dataclass
class CannedAws:
    """Answers requests about one fleet, whoever asks."""

    fleet: CannedFleet
    limits: Limits = field(default_factory=Limits)
    counters: Counters = field(default_factory=Counters)
    latency_seconds: float = 0.0
    _offerings: tuple[bytes, ...] = ()

    @classmethod
    def empty(cls) -> CannedAws:
        """Return an endpoint without instances."""
        now = datetime.now(UTC)
        launched = now.replace(hour=0, minute=0, second=0, microsecond=0) - _AGE
        return cls(CannedFleet(ACCOUNT, REGION, 0, launched, now))

    # -- control -----------------------------------------------------------------------------------------------------

    def control(self, request: Request) -> Answer:
        """Serve the control interface."""
        wanted = orjson.loads(request.body) if request.body else {}
        order = request.path.removeprefix(CONTROL)
        if order == "fleet":
            self._prepare(wanted)
        elif order == "switches":
            services = wanted.get("throttledServices")
            self.limits = Limits(bool(wanted.get("quotas")), float(wanted.get("throttledShare", 0)))
            if services is not None:
                self.limits.throttled_services = frozenset(services)
            self.latency_seconds = float(wanted.get("latencyMilliseconds", 0)) / 1000
            self.counters = Counters()
        elif order != "counters":
            return Answer(404, (("Content-Type", "application/json"),), b"{}")
        return Answer(200, (("Content-Type", "application/json"),), orjson.dumps(self.counters.document()))

    def _prepare(self, wanted: Mapping[str, Any]) -> None:
        now = datetime.fromtimestamp(float(wanted["now"]), UTC) if "now" in wanted else datetime.now(UTC)
        self.fleet = self.fleet.changed(wanted["size"], now, wanted.get("replacedPercent", 0))
        for action in _LISTS:
            self.fleet.pages(action)
        if not self._offerings:
            self._offerings = _offerings()

    # -- requests ----------------------------------------------------------------------------------------------------

    def serve(self, request: Request) -> Answer:
        """Answer a request of an SDK, an error in its own protocol."""
        service, target = request.service, request.headers.get("x-amz-target", "")
        if service == "savingsplans":
            self.counters.calls[f"{service}:{request.path.removeprefix('/')}"] += 1
            return Answer(200, (("Content-Type", "application/json"),), orjson.dumps(_PLANS[request.path]))
        if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
            protocol, action, sent = "cbor", request.path.rpartition("/")[2], decode_cbor(request.body)
        elif target:
            protocol, action, sent = "json", target.rpartition(".")[2], orjson.loads(request.body)
        else:
            form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            protocol, action, sent = "ec2" if service == "ec2" else "query", form.get("Action", ""), form
        self.counters.calls[f"{service}:{action}"] += 1
        try:
            return self._answered(service, action, protocol, sent)
        except AwsError as error:
            return write_error(protocol, in_words_of(protocol, error))

    def _answered(self, service: str, action: str, protocol: str, sent: Mapping[str, Any]) -> Answer:
        if service == "ec2":
            self._admit(service, action, paginated=action not in _LISTS or _narrowed(sent))
            return self._ec2(action, sent)
        if service == "cloudwatch" and action == "GetMetricData":
            return self._metric_data(protocol, sent)
        self._admit(service, action)
        if service not in {"cloudwatch", "sts"}:
            raise AwsError("InvalidAction", f"the canned endpoint does not know the service {service}")
        name = {"cloudwatch": "monitoring"}.get(service, service)
        operation = operation_model(name, action)
        asked = parse_query(operation, sent, ec2=False) if protocol == "query" else parse_document(operation, sent)
        result = self._sts(action) if service == "sts" else self._cloudwatch(action, asked)
        return write_query(operation, result) if protocol == "query" else write_document(protocol, result)

    def _admit(self, service: str, action: str, *, paginated: bool = True, datapoints: int = 0) -> None:
        if self.limits.refuses(f"{service}:{action}", paginated=paginated, datapoints=datapoints):
            self.counters.throttled[f"{service}:{action}"] += 1
            raise throttled("monitoring" if service == "cloudwatch" else service)

    def _metric_data(self, protocol: str, sent: Mapping[str, Any]) -> Answer:
        operation = operation_model("monitoring", "GetMetricData")
        if protocol == "query":
            sent = parse_query(operation, sent, ec2=False)
        page = metric_data(self.fleet, sent)
        self._admit("cloudwatch", "GetMetricData", datapoints=page.asked)
        self.counters.datapoints_asked += page.asked
        self.counters.datapoints_answered += page.answered
        if protocol == "json":
            return Answer(200, (("Content-Type", "application/x-amz-json-1.0"),), page.as_json())
        document = page.as_document()
        return write_query(operation, document) if protocol == "query" else write_document(protocol, document)

    def _cloudwatch(self, action: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if action == "GetMetricStatistics":
            found = metric_statistics(self.fleet, asked)
            self.counters.datapoints_asked += len(found["Datapoints"])
            self.counters.datapoints_answered += len(found["Datapoints"])
            return found
        known = {"AWS/EC2", "AWS/EBS", None}
        if action == "ListMetrics" and (asked.get("RecentlyActive") or asked.get("Namespace") not in known):
            # No agent runs on the fleet.
            return {"Metrics": []}
        if action == "DescribeAlarms":
            return {"MetricAlarms": [], "CompositeAlarms": []}
        raise AwsError("InvalidAction", f"the canned endpoint has no answer to {action}")

    def _sts(self, action: str) -> Mapping[str, Any]:
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/finops-scanner/scan"
        if action == "GetCallerIdentity":
            return {"UserId": "AROACANNED:scan", "Account": ACCOUNT, "Arn": arn}
        keys = {"AccessKeyId": "ASIACANNED", "SecretAccessKey": "canned-secret", "SessionToken": "canned-token"}
        ends = datetime.now(UTC) + timedelta(days=3)
        return {
            "Credentials": {**keys, "Expiration": ends},
            "AssumedRoleUser": {"AssumedRoleId": "AROACANNED:scan", "Arn": arn},
        }

    # -- EC2 ---------------------------------------------------------------------------------------------------------

    def _ec2(self, action: str, form: Mapping[str, str]) -> Answer:
        if action in _LISTS:
            if any(name.startswith("Filter.") for name in form):
                raise AwsError("InvalidParameterValue", "the canned endpoint has no filters")
            return self._fleet_page(action, form)
        if action == "DescribeInstanceTypeOfferings":
            return _page(action, "instanceTypeOfferingSet", self._offerings, form)
        if action == "DescribeRegions":
            region = {"RegionName": REGION, "Endpoint": f"ec2.{REGION}.amazonaws.com", "OptInStatus": "opted-in"}
            return write_ec2(operation_model("ec2", action), {"Regions": [region]})
        if action not in _EMPTY:
            raise AwsError("InvalidAction", f"the canned endpoint has no answer to {action}")
        return write_ec2(operation_model("ec2", action), _EMPTY[action])

    def _fleet_page(self, action: str, form: Mapping[str, str]) -> Answer:
        tag = "reservationSet" if action == "DescribeInstances" else "volumeSet"
        ids = [value for name, value in form.items() if name.startswith("InstanceId.")]
        if not ids:
            return _page(action, tag, self.fleet.pages(action), form)
        numbers = [self.fleet.number("AWS/EC2", one) for one in ids]
        known = tuple(number for number in numbers if number is not None)
        if len(known) < len(ids) or "MaxResults" in form:
            raise AwsError("InvalidInstanceID.NotFound", "an instance ID does not exist, or MaxResults came with IDs")
        return _page(action, tag, (inner(action, _LISTS[action], self.fleet.instances(known)),), {})


def _narrowed(form: Mapping[str, Any]) -> bool:
    return any(name.startswith(("MaxResults", "NextToken", "InstanceId.", "VolumeId.")) for name in form)


def _page(action: str, tag: str, pages: tuple[bytes, ...], form: Mapping[str, str]) -> Answer:
    """Return one page of a listing, or all of it where no size is asked for; sizes are those of the pages made before.

    Raises:
        AwsError: a size that the endpoint has no pages of.
    """
    if form.get("MaxResults", str(PAGE)) != str(PAGE):
        raise AwsError("InvalidParameterValue", f"the canned endpoint has pages of {PAGE}")
    if "MaxResults" in form:
        number = int(form.get("NextToken") or 0)
        chosen = pages[number : number + 1]
        token = f"<nextToken>{number + 1}</nextToken>" if number + 1 < len(pages) else ""
    else:
        chosen, token = pages, ""
    head = f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>canned</requestId><{tag}>'
    body = b"".join((head.encode(), *chosen, f"</{tag}>{token}</{action}Response>".encode()))
    return Answer(200, (("Content-Type", "text/xml;charset=UTF-8"),), body)


def _offerings() -> tuple[bytes, ...]:
    """Return pages of all types that the SDK knows, as if every zone offered each."""
    types = load_model("ec2").shape_for("InstanceType").enum
    offered = [
        {"InstanceType": name, "LocationType": "availability-zone", "Location": REGION + zone}
        for zone in "abc"
        for name in types
    ]
    action = "DescribeInstanceTypeOfferings"
    return tuple(
        inner(action, "InstanceTypeOfferings", offered[start : start + PAGE]) for start in range(0, len(offered), PAGE)
    )


class Connection(asyncio.Protocol):
    """One kept-alive connection; answers leave in the order of the requests, each after the round trip."""

    def __init__(self, aws: CannedAws) -> None:
        self._aws = aws
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._taken()) is not None:
            if request.path.startswith(CONTROL):
                self._send(self._aws.control(request))
                continue
            answer = self._aws.serve(request)
            self._aws.counters.bytes_received += len(request.body)
            self._aws.counters.bytes_sent += len(answer.body)
            if self._aws.latency_seconds:
                asyncio.get_running_loop().call_later(self._aws.latency_seconds, self._send, answer)
            else:
                self._send(answer)

    def _taken(self) -> Request | None:
        """Take the next whole request out of what was received."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(self._received) < end + 4 + length:
            return None
        body = bytes(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        method, path, _ = first.split(" ", 2)
        return Request(method, path, headers, body)

    def _send(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        head = [f"HTTP/1.1 {answer.status} Canned", f"Date: {formatdate(usegmt=True)}"]
        head += [f"{name}: {value}" for name, value in answer.headers]
        head += [f"Content-Length: {len(answer.body)}", "", ""]
        self._transport.writelines(("\r\n".join(head).encode(), answer.body))


async def _run() -> None:
    aws = CannedAws.empty()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(aws), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"listening on http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run())
