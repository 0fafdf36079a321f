"""Lambda's provisioned concurrency, which moto does not have: kept here, of functions that moto holds.

Source: Lambda API reference, PutProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs,
DeleteProvisionedConcurrencyConfig. It is ready at once.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_JSON = (("content-type", "application/json"),)


def _function(call: Call) -> str:
    """The ARN of the function that a call names.

    Raises:
        AwsError: ResourceNotFoundException when moto has no such function.
    """
    from moto.awslambda.models import lambda_backends  # noqa: PLC0415 - moto loads slowly
    from moto.core.exceptions import JsonRESTError  # noqa: PLC0415 - moto loads slowly

    name = str(call.parameters["FunctionName"])
    try:
        return str(lambda_backends[call.account][call.region].get_function(name).function_arn)
    except JsonRESTError as error:
        raise AwsError("ResourceNotFoundException", f"Function not found: {name}", 404) from error


def _qualified(call: Call) -> tuple[str, str]:
    qualifier = str(call.parameters.get("Qualifier") or "")
    if qualifier in {"", "$LATEST"}:
        raise AwsError("InvalidParameterValueException", "Provisioned Concurrency needs a version or an alias.")
    return _function(call), qualifier


def _put(call: Call) -> Answer:
    function, qualifier = _qualified(call)
    wanted = int(call.parameters["ProvisionedConcurrentExecutions"])
    config = {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": wanted,
        "AllocatedProvisionedConcurrentExecutions": wanted,
        "Status": "READY",
        "LastModified": call.estate.clock.now().strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    call.estate.further.provisioned[function, qualifier] = config
    return _answer(202, config)


def _list(call: Call) -> Answer:
    function = _function(call)
    configs = [
        {"FunctionArn": f"{arn}:{qualifier}", **config}
        for (arn, qualifier), config in call.estate.further.provisioned.items()
        if arn == function
    ]
    return _answer(200, {"ProvisionedConcurrencyConfigs": configs})


def _delete(call: Call) -> Answer:
    call.estate.further.provisioned.pop(_qualified(call), None)
    return Answer(204, (), b"")


def _answer(status: int, document: Mapping[str, Any]) -> Answer:
    return Answer(status, _JSON, json.dumps(document).encode())


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("lambda", "PutProvisionedConcurrencyConfig"): _put,
    ("lambda", "ListProvisionedConcurrencyConfigs"): _list,
    ("lambda", "DeleteProvisionedConcurrencyConfig"): _delete,
}
