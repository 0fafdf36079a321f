"""ElastiCache's serverless caches, which moto does not have: nobody can create one here, so there is none.

Source: ElastiCache API reference, DescribeServerlessCaches. Asked for by name it answers, as AWS does, that there is
none of that name.
"""

from collections.abc import Callable

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_ACTION = "DescribeServerlessCaches"


def _describe(call: Call) -> Answer:
    name = call.parameters.get("ServerlessCacheName")
    if name:
        raise AwsError("ServerlessCacheNotFoundFault", f"Serverless cache {name} not found", 404)
    return wire.write_query(wire.load_model("elasticache").operation_model(_ACTION), {"ServerlessCaches": []})


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("elasticache", _ACTION): _describe}
