"""Lambda functions of an estate: applying a change takes time, and revisions that do not match are refused.

Source: Lambda API reference, UpdateFunctionConfiguration (PreconditionFailedException, ResourceConflictException). Moto
applies a change at once, takes every size, and has no revisions. Every call happens under the estate's lock.
"""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.facts import FunctionState
from finops_sandbox.aws.further_specs import FunctionSpec
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "function:"
"""Of a function's name where a resource of any kind is named."""
_JSON = (("content-type", "application/json"),)
_ROLE = "function"
_SMALLEST_MB, _LARGEST_MB = 128, 10_240


def _backend(account: str, region: str) -> Any:
    from moto.awslambda.models import lambda_backends  # noqa: PLC0415 - moto loads slowly

    return lambda_backends[account][region]


def seed(place: Place, spec: FunctionSpec, created: datetime) -> None:
    """Put a function into moto, with as many published versions as the estate says."""
    backend = _backend(place.account, place.region)
    function = backend.create_function(
        {
            "FunctionName": spec.name,
            "Runtime": "python3.13",
            "Role": _role(place.account),
            "Handler": "main.handle",
            "Code": {"ZipFile": base64.b64encode(spec.name.encode()).decode()},
            "MemorySize": spec.memory,
            "Tags": dict(spec.tags),
        }
    )
    function.last_modified = naive_utc(created).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    for _ in range(spec.versions):
        function.code_or_config_updated = True
        backend.publish_version(spec.name)


def _role(account: str) -> str:
    """The ARN of a role that moto knows; it makes no function without one."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - moto loads slowly

    backend, arn = iam_backends[account]["aws"], f"arn:aws:iam::{account}:role/{_ROLE}"
    if all(role.arn != arn for role in backend.roles.values()):
        backend.create_role(_ROLE, "{}", "/", "", "", [], "3600")
    return arn


def _state(estate: LiveEstate, function: Any) -> FunctionState:
    state = estate.further.functions.setdefault(function.function_arn, FunctionState())
    if state.applied is not None and state.applied <= estate.clock.now():
        # AWS counts the end of a change as a revision of its own.
        state.applied, state.revision = None, str(uuid.uuid4())
    return state


def shown(estate: LiveEstate, account: str, region: str, name: str) -> dict[str, Any]:
    """State of one function.

    Raises:
        AwsError: there is none of that name.
    """
    function = _named(account, region, name)
    update = "InProgress" if _state(estate, function).applied else "Successful"
    return {"id": f"{PREFIX}{name}", "kind": "lambda-function", "memory": function.memory_size, "state": update}


def change(estate: LiveEstate, account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a function as a person would: `memory` at once, `state` of the function, `delete`."""
    function = _named(account, region, name)
    state = _state(estate, function)
    if "memory" in changes:
        function.memory_size = int(changes["memory"])
    if "state" in changes:
        function.state = str(changes["state"])
    state.applied, state.revision = None, str(uuid.uuid4())
    if changes.get("delete"):
        _backend(account, region).delete_function(name)


def _named(account: str, region: str, name: str, qualifier: str | None = None) -> Any:
    from moto.core.exceptions import JsonRESTError  # noqa: PLC0415 - moto loads slowly

    try:
        return _backend(account, region).get_function(name, qualifier)
    except JsonRESTError as error:
        raise AwsError("ResourceNotFoundException", f"Function not found: {name}", 404) from error


def _read(call: Call) -> Answer:
    name, qualifier = str(call.parameters["FunctionName"]), call.parameters.get("Qualifier")
    return _described(call, _named(call.account, call.region, name, qualifier))


def _update(call: Call) -> Answer:
    parameters = call.parameters
    function = _named(call.account, call.region, str(parameters["FunctionName"]))
    state, size = _state(call.estate, function), parameters.get("MemorySize")
    if size is not None and not _SMALLEST_MB <= int(size) <= _LARGEST_MB:
        message = f"'MemorySize' value failed to satisfy constraint: between {_SMALLEST_MB} and {_LARGEST_MB}"
        raise AwsError("InvalidParameterValueException", message)
    if parameters.get("RevisionId", state.revision) != state.revision:
        message = "The Revision Id provided does not match the latest Revision Id."
        raise AwsError("PreconditionFailedException", message, 412)
    if state.applied is not None:
        message = f"The operation cannot be performed at this time. An update is in progress: {function.function_arn}"
        raise AwsError("ResourceConflictException", message, 409)
    names = set(parameters) - {"FunctionName", "RevisionId"}
    function.update_configuration({name: parameters[name] for name in names})
    state.applied = call.estate.clock.now() + timedelta(seconds=call.estate.delays.function_seconds)
    state.revision = str(uuid.uuid4())
    return _described(call, function)


def _described(call: Call, function: Any) -> Answer:
    state = _state(call.estate, function)
    update = "Successful" if state.applied is None else "InProgress"
    found = {**function.get_configuration(), "RevisionId": state.revision, "LastUpdateStatus": update}
    return Answer(200, _JSON, json.dumps(found).encode())


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("lambda", "GetFunctionConfiguration"): _read,
    ("lambda", "UpdateFunctionConfiguration"): _update,
}
