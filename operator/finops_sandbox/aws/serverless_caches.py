"""ElastiCache's serverless caches, which moto does not have: there are none, and a listing says so.

Source: ElastiCache API reference, DescribeServerlessCaches.
"""

from collections.abc import Callable

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.wire import Answer

_DESCRIBE = "DescribeServerlessCaches"


def _describe(call: Call) -> Answer:
    operation = wire.load_model(call.service).operation_model(_DESCRIBE)
    return wire.write_query(operation, {"ServerlessCaches": []})


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("elasticache", _DESCRIBE): _describe}
