"""Accelerators of Global Accelerator, which an account has once: asked in one region, held by whichever place says so.

Source: Global Accelerator API reference, ListAccelerators, ListListeners and ListEndpointGroups. Moto has no such
service. An accelerator of the estate has one listener and one endpoint group.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldResource, HeldSpec
from finops_sandbox.aws.wire import Answer

_KIND = "accelerator"
_JSON = (("content-type", "application/x-amz-json-1.1"),)


def _make(account: str, _region: str, spec: HeldSpec, _created: datetime) -> HeldResource:
    arn = f"arn:aws:globalaccelerator::{account}:accelerator/{spec.name}"
    described = {"AcceleratorArn": arn, "Name": spec.name, "Enabled": True, "Status": "DEPLOYED"}
    return HeldResource(_KIND, spec.name, described, {"endpoints": list(spec.members.get("endpoints", ()))})


def _of(call: Call) -> Iterator[HeldResource]:
    for (account, _), resources in call.estate.further.held.items():
        if account == call.account:
            yield from (one for one in resources.values() if one.kind == _KIND)


def _answer(**members: Any) -> Answer:
    return Answer(200, _JSON, json.dumps(members).encode())


def _list(call: Call) -> Answer:
    return _answer(Accelerators=[one.described for one in _of(call)])


def _listeners(call: Call) -> Answer:
    wanted = str(call.parameters["AcceleratorArn"])
    if all(one.described["AcceleratorArn"] != wanted for one in _of(call)):
        raise AwsError("AcceleratorNotFoundException", f"There is no accelerator {wanted}")
    return _answer(Listeners=[{"ListenerArn": f"{wanted}/listener/0123abcd", "Protocol": "TCP"}])


def _groups(call: Call) -> Answer:
    wanted = str(call.parameters["ListenerArn"])
    for one in _of(call):
        if wanted.startswith(f"{one.described['AcceleratorArn']}/listener/"):
            endpoints = [{"EndpointId": arn} for arn in one.further["endpoints"]]
            group = {"EndpointGroupArn": f"{wanted}/endpoint-group/0123", "EndpointDescriptions": endpoints}
            return _answer(EndpointGroups=[group])
    raise AwsError("ListenerNotFoundException", f"There is no listener {wanted}")


FAMILY = Family(kinds={_KIND: _make}, handlers={})
HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("globalaccelerator", "ListAccelerators"): _list,
    ("globalaccelerator", "ListListeners"): _listeners,
    ("globalaccelerator", "ListEndpointGroups"): _groups,
}
