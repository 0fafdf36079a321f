"""Which operation a request asks for, in services that the strict layer does not know.

The SDK's own service models say it: by the ``Action`` of a query, by the target header of JSON, by path and query of
REST. The gateway needs the operation to judge rights and to record the call; moto answers the request itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import DataNotFoundError

from finops_sandbox.aws import wire
from finops_sandbox.aws.errors import AwsError

# Services are named in a signature as here on the left; their models in the SDK where the two names differ. Source:
# ``signingName`` and ``endpointPrefix`` in the models' metadata.
_MODELS = {
    "airflow": ("mwaa",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "es": ("opensearch", "es"),
    "kinesisanalytics": ("kinesisanalyticsv2", "kinesisanalytics"),
    "rds": ("rds", "neptune", "docdb"),
    "s3": ("s3", "s3control"),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
    "timestream": ("timestream-write", "timestream-query"),
}
_READ_WITH_BODY = {"PutBucketLifecycleConfiguration", "PutObjectRetention"}
_PLACE = re.compile(r"\{([^}+]+)(\+?)\}")
_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for.

    Attributes:
        protocol: how an error must be written.
        model: the SDK's name of the service.
        action: the operation's name in the SDK.
        parameters: what path, query, headers or body name, as plain JSON; of the bodies of REST XML lifecycle
            configurations alone are read.
    """

    protocol: str
    model: str
    action: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Route:
    """One REST operation: the form of its requests."""

    name: str
    method: str
    path: re.Pattern[str]
    places: tuple[str, ...]
    literals: frozenset[tuple[str, str]]
    queries: Mapping[str, str]
    headers: Mapping[str, str]
    required: frozenset[str]
    current: bool

    def parameters(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the members that stand in path, query and headers; None when the request is another operation's."""
        found = self.path.fullmatch(path)
        if found is None or not self.literals <= query.items():
            return None
        members: dict[str, Any] = dict(zip(self.places, map(unquote, found.groups()), strict=True))
        members.update((member, query[name]) for name, member in self.queries.items() if name in query)
        members.update((member, headers[name]) for name, member in self.headers.items() if name in headers)
        return members if self.required <= members.keys() else None


def identify(service: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Operation:
    """Find the operation of a signed request.

    Args:
        service: the service's name in the signature.
        method: the HTTP method.
        target: path and query as they arrived.
        headers: by lower-case name.
        body: unpacked.

    Raises:
        AwsError: UnknownService or InvalidAction when the SDK has no such service or operation.
    """
    models = _models(service)
    path, _, query = target.partition("?")
    if cbor := _CBOR_PATH.fullmatch(path):
        return Operation("cbor", *_known(models, cbor.group(2)), _jsonable(wire.decode_cbor(body)))
    if "x-amz-target" in headers:
        prefix, _, action = headers["x-amz-target"].rpartition(".")
        named = [model for model in models if model.metadata.get("targetPrefix") == prefix]
        return Operation("json", *_known(named, action), wire.decode_json(body))
    protocols = {str(model.metadata["protocol"]) for model in models}
    if "query" in protocols:
        form = {**dict(parse_qsl(query, keep_blank_values=True)), **_form(body)}
        if "Action" in form:
            same = [model for model in models if model.metadata["apiVersion"] == form.get("Version")]
            return Operation("query", *_known(same, form["Action"]), form)
    return _rest_operation(models, method, path, query, headers, body)


def _models(service: str) -> list[Any]:
    try:
        return [wire.load_model(name) for name in _MODELS.get(service, (service,))]
    except DataNotFoundError as error:
        raise AwsError("UnknownService", f"the AWS double has no service {service!r}", 501) from error


def _known(models: list[Any], action: str) -> tuple[str, str]:
    """Return the service's name in the SDK and the action."""
    for model in models:
        if action in model.operation_names:
            return str(model.service_name), action
    raise AwsError("InvalidAction", f"The action {action} is not valid for this web service.")


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise AwsError("MalformedQueryString", "the request body is not a form") from error


# ---------------------------------------------------------------- REST


def _rest_operation(
    models: list[Any], method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Operation:
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    best: tuple[tuple[int, int, int, bool], Operation] | None = None
    for model in models:
        protocol = str(model.metadata["protocol"])
        for route in _routes(model.service_name):
            found = route.parameters(path.rstrip("/") or "/", pairs, headers) if route.method == method else None
            if found is None:
                continue
            # More that is fixed wins: ``/{Bucket}?versions`` over ``/{Bucket}``, a copy over a plain upload.
            # Of two of the same form, such as both versions of lifecycle rules, the one that SDKs still send.
            rank = len(route.literals), len(route.required), -len(route.places), route.current
            if best is None or rank > best[0]:
                best = rank, Operation(protocol, str(model.service_name), route.name, found)
    if best is None:
        raise AwsError("UnknownOperationException", f"the AWS double knows no operation at {method} {path}", 404)
    operation = best[1]
    if operation.protocol == "rest-json" and headers.get("content-type", "").startswith("application/json"):
        return replace(operation, parameters={**wire.decode_json(body), **operation.parameters})
    if operation.action in _READ_WITH_BODY:
        return replace(operation, parameters={**operation.parameters, **_xml(body)})
    return operation


def _xml(body: bytes) -> dict[str, Any]:
    import xmltodict  # noqa: PLC0415 - comes with moto, which loads slowly

    try:
        return dict(xmltodict.parse(body))
    except ValueError as error:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed") from error


@lru_cache(maxsize=32)
def _routes(model_name: str) -> tuple[_Route, ...]:
    return tuple(_routes_of(wire.load_model(model_name)))


def _routes_of(model: Any) -> Iterator[_Route]:
    for name in model.operation_names:
        operation = model.operation_model(name)
        template, _, query = operation.http["requestUri"].partition("?")
        places: list[str] = []
        pattern, end = "", 0
        template = template.rstrip("/") or "/"
        for place in _PLACE.finditer(template):
            pattern += re.escape(template[end : place.start()]) + ("(.+)" if place.group(2) else "([^/]+)")
            places.append(place.group(1))
            end = place.end()
        shape = operation.input_shape
        bound: dict[str, dict[str, str]] = {"querystring": {}, "header": {}, "uri": {}}
        for member, member_shape in (shape.members if shape is not None else {}).items():
            where = member_shape.serialization.get("location", "")
            if where in bound:
                key = str(member_shape.serialization.get("name", member))
                bound[where][key.lower() if where == "header" else key] = member
        sent = {*bound["querystring"].values(), *bound["header"].values()}
        required = sent & set(shape.required_members if shape is not None else ())
        yield _Route(
            name,
            operation.http["method"],
            re.compile(pattern + re.escape(template[end:])),
            tuple(bound["uri"].get(place, place) for place in places),
            frozenset(parse_qsl(query, keep_blank_values=True)),
            bound["querystring"],
            bound["header"],
            frozenset(required),
            not operation.deprecated,
        )


def _jsonable(document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(document, default=str)))
