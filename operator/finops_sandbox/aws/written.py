"""Answers and metrics that an estate writes out: for kinds of resources that moto does not hold, or not as they age.

An estate says what an operation answers, in the members of the SDK's model, and the double serves it over the service's
own protocol, page by page. What an estate does not write is answered as ever. Members that the model does not have are
refused when the estate is loaded: an answer that AWS cannot give proves nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

import botocore.loaders
from botocore.exceptions import DataNotFoundError

from finops_sandbox.aws import wire
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate_fields import EstateError, age, known, shape
from finops_sandbox.aws.wire import Answer

_PAGE = 100
"""Of a list whose caller names no size."""
_PLAIN = re.compile(r"\w+")
Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What one operation answers when its parameters are those of `when`.

    Attributes:
        operation: service and operation as the SDK names them, `rds:DescribeDBInstances`.
        when: parameters that must have these values.
        answer: the members of the answer; of a list those beside it.
        member, items: the list of the answer and what it holds; empty: no list.
        by: parameter → member of an item that must be its value, or one of its values.
        error: code, message and status instead of an answer.
    """

    operation: str
    when: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    member: str = ""
    items: tuple[Any, ...] = ()
    by: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WrittenMetric:
    """One metric of one set of dimensions: a shape times `value`, for as long as `age` says, until `ended` ago.

    `presence` is a shape whose missing points it shares.
    """

    namespace: str
    metric: str
    dimensions: Dimensions
    value: float = 1.0
    shape: str = "one"
    age: timedelta = timedelta(days=90)
    ended: timedelta = timedelta()
    presence: str = ""


# ---------------------------------------------------------------- the document


def answer(item: Mapping[str, Any], where: str) -> WrittenAnswer:
    """Return an answer of the document. Raises EstateError."""
    operation = str(item.get("operation"))
    where = f"{where}, answer of {operation}"
    known(item, {"operation", "when", "answer", "member", "items", "by", "error"}, where)
    model = _model(operation, where)
    made = WrittenAnswer(
        operation=operation,
        when=dict(item.get("when") or {}),
        answer=dict(item.get("answer") or {}),
        member=str(item.get("member") or (_pages(operation).get("result_key", "") if "items" in item else "")),
        items=tuple(item.get("items") or ()),
        by=dict(item.get("by") or {}),
        error=item.get("error"),
    )
    whole = {**made.answer, made.member: list(made.items)} if made.member else made.answer
    if wrong := next(_unknown(model.output_shape, whole, operation), ""):
        raise EstateError(f"{where}: {wrong} is no member of the SDK's model")
    return made


def metric(item: Mapping[str, Any], where: str) -> WrittenMetric:
    """Return a metric of the document. Raises EstateError."""
    where = f"{where}, metric {item.get('metric')}"
    known(item, {"namespace", "metric", "dimensions", "value", "shape", "age", "ended", "presence"}, where)
    return WrittenMetric(
        namespace=str(item["namespace"]),
        metric=str(item["metric"]),
        dimensions=frozenset((str(key), str(value)) for key, value in item["dimensions"].items()),
        value=float(item.get("value", 1)),
        shape=shape(item, "shape", "one", where),
        age=age(item.get("age", "90d")),
        ended=age(item.get("ended", "0m")),
        presence=shape(item, "presence", "", where),
    )


def _model(operation: str, where: str) -> Any:
    service, _, action = operation.partition(":")
    try:
        model = wire.load_model(service)
    except DataNotFoundError as error:
        raise EstateError(f"{where}: the SDK has no service {service!r}") from error
    if action not in model.operation_names:
        raise EstateError(f"{where}: {service} has no such operation")
    return model.operation_model(action)


def _unknown(shape_: Any, value: Any, path: str) -> Iterator[str]:
    """Yield the paths of members that the model does not have."""
    if shape_ is None:
        return
    if shape_.type_name == "structure":
        if not isinstance(value, Mapping):
            yield path
            return
        for name, item in value.items():
            if name not in shape_.members:
                yield f"{path}.{name}"
            else:
                yield from _unknown(shape_.members[name], item, f"{path}.{name}")
    elif shape_.type_name == "list":
        for item in value:
            yield from _unknown(shape_.member, item, path)


# ---------------------------------------------------------------- the answers


@dataclass(slots=True)
class Written:
    """All that the estate writes out, by account and region."""

    answers: dict[tuple[str, str, str], list[WrittenAnswer]] = field(default_factory=dict)
    metrics: dict[tuple[str, str], dict[tuple[str, str, Dimensions], WrittenMetric]] = field(default_factory=dict)
    _exact: dict[tuple[str, str, str, frozenset[tuple[str, str]]], WrittenAnswer] = field(default_factory=dict)

    def add(
        self, account: str, region: str, answers: Sequence[WrittenAnswer], metrics: Sequence[WrittenMetric]
    ) -> None:
        """Take over what a place of the estate writes."""
        for one in answers:
            self.answers.setdefault((account, region, one.operation), []).append(one)
            if one.when:
                self._exact[account, region, one.operation, _key(one.when, one.when)] = one
        series = self.metrics.setdefault((account, region), {})
        series.update({(one.namespace, one.metric, one.dimensions): one for one in metrics})

    def writes(self, account: str, region: str, operation: str) -> bool:
        """Whether anything is written for an operation, whatever its parameters."""
        return (account, region, operation) in self.answers

    def find(self, account: str, region: str, operation: str, parameters: Mapping[str, Any]) -> WrittenAnswer | None:
        """Return what is written for a call; an answer for its very parameters comes before one for all."""
        several = self.answers.get((account, region, operation), ())
        for names in {tuple(one.when) for one in several if one.when}:
            if set(names) <= set(parameters):
                found = self._exact.get((account, region, operation, _key(parameters, names)))
                if found is not None:
                    return found
        return next((one for one in several if not one.when), None)


def _key(values: Mapping[str, Any], names: Any) -> frozenset[tuple[str, str]]:
    return frozenset((name, str(values[name])) for name in names)


def members_of(written: WrittenAnswer, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the answer to one call: the page of a list that it asks for.

    Raises:
        AwsError: the error that is written, or a token that is not ours.
    """
    if written.error is not None:
        status = int(written.error.get("status", 400))
        raise AwsError(str(written.error["code"]), str(written.error.get("message", "")), status)
    made = dict(written.answer)
    if not written.member:
        return made
    items = [one for one in written.items if _chosen(one, written.by, parameters)]
    pages = _pages(written.operation)
    asked, given = str(pages.get("input_token", "")), str(pages.get("output_token", ""))
    if not (_PLAIN.fullmatch(asked) and _PLAIN.fullmatch(given)) or pages.get("result_key") != written.member:
        return {**made, written.member: items}
    token, size = parameters.get(asked, "0"), int(parameters.get(str(pages.get("limit_key")), _PAGE))
    if not str(token).isdecimal():
        raise AwsError("InvalidParameterValue", "Unable to parse pagination token")
    start = int(token)
    if start + size < len(items):
        made[given] = str(start + size)
    return {**made, written.member: items[start : start + size]}


def _chosen(item: Any, by: Mapping[str, str], parameters: Mapping[str, Any]) -> bool:
    for parameter, member in by.items():
        wanted = parameters.get(parameter)
        if wanted and item.get(member) not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


@lru_cache(maxsize=128)
def _pages(operation: str) -> Mapping[str, Any]:
    service, _, action = operation.partition(":")
    try:
        document = botocore.loaders.Loader().load_service_model(service, "paginators-1")
    except DataNotFoundError:
        return {}
    found: Mapping[str, Any] = document["pagination"].get(action, {})
    return found


# ---------------------------------------------------------------- the wire


def parameters_of(operation: str, protocol: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a call as the SDK names them; those of a query arrive as a form."""
    if protocol != "query":
        return parameters
    service, _, action = operation.partition(":")
    return wire.parse_query(wire.load_model(service).operation_model(action), parameters, ec2=False)


def write(operation: str, protocol: str, members: Mapping[str, Any]) -> Answer:
    """Return the members in the protocol of the request, of a service that the strict layer does not know."""
    if protocol == "cbor":
        return wire.write_document(protocol, members)
    made = _serializer(operation, protocol).serialize(members)
    body = made["body"]
    headers = tuple((str(name), str(value)) for name, value in made["headers"].items())
    return Answer(made["status_code"], headers, body if isinstance(body, bytes) else body.encode())


@lru_cache(maxsize=128)
def _serializer(operation: str, protocol: str) -> Any:
    from moto.core.model import ServiceModel  # noqa: PLC0415 - moto loads slowly
    from moto.core.serialize import get_serializer_class  # noqa: PLC0415

    service, _, action = operation.partition(":")
    document = botocore.loaders.Loader().load_service_model(service, "service-2")
    model = ServiceModel(document, service)
    return get_serializer_class(service, protocol)(operation_model=model.operation_model(action))
