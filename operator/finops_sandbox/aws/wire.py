"""The protocols SDK clients speak: EC2 query, AWS query (STS), Smithy RPC v2 CBOR, JSON and query (CloudWatch).

Requests become parameters named as in boto3, answers are plain dictionaries named as in boto3; the shapes come from
the SDK's own service models, so both sides read the same description. The server calls this for every request.
"""

import calendar
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import cbor2
import orjson

from finops_sandbox.aws.errors import AwsError

# The credential scope's service name → the SDK's model name.
_MODEL_OF_SERVICE = {"ec2": "ec2", "sts": "sts", "monitoring": "cloudwatch"}
_MODEL_LOCK = threading.Lock()
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
# Carriage returns and line feeds survive an XML parser only as character references.
_ENTITIES = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Timestamps:
    """Epoch seconds that go out as times; a tuple, so that equal runs are tagged once."""

    seconds: tuple[int, ...]


@lru_cache(maxsize=32)
def _load(name: str) -> Any:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def load_model(name: str) -> Any:
    """The SDK's model of a service, by the SDK's name for it.

    Raises:
        DataNotFoundError: the SDK has no such service.
    """
    with _MODEL_LOCK:
        return _load(name)


def is_strict(service: str) -> bool:
    """Whether the strict layer knows a service, by the name in its signatures; the others are moto's alone."""
    return service in _MODEL_OF_SERVICE


def model_of(service: str) -> str:
    """The SDK's name of a strict service."""
    return _MODEL_OF_SERVICE[service]


def strict_services() -> list[str]:
    """The signing names of the services that the strict layer knows."""
    return sorted(_MODEL_OF_SERVICE)


def operation_model(service: str, action: str) -> Any:
    """The operation's model, of a strict service.

    Raises:
        AwsError: InvalidAction when the service has no such operation.
    """
    model = load_model(_MODEL_OF_SERVICE[service])
    if action not in model.operation_names:
        raise AwsError("InvalidAction", f"The action {action} is not valid for this web service.", 400)
    return model.operation_model(action)


# ---------------------------------------------------------------- requests


def parse_query(operation: Any, form: Mapping[str, str], *, ec2: bool) -> dict[str, Any]:
    """Turn an (EC2) query form into boto3-shaped parameters."""
    if operation.input_shape is None:
        return {}
    # Every dotted prefix that occurs: distinguishes a missing member from an empty one without scanning the form again.
    prefixes: set[str] = set()
    for key in form:
        parts = key.split(".")
        for end in range(1, len(parts) + 1):
            prefixes.add(".".join(parts[:end]))
    parsed = _query_value(operation.input_shape, form, prefixes, "", ec2)
    return parsed if isinstance(parsed, dict) else {}


def _query_name(shape: Any, member: str, *, ec2: bool) -> str:
    name = shape.serialization.get("name", member)
    if not ec2:
        return str(name)
    query_name = shape.serialization.get("queryName")
    return str(query_name) if query_name else str(name[0].upper() + name[1:])


def _query_value(shape: Any, form: Mapping[str, str], prefixes: set[str], prefix: str, ec2: bool) -> Any:
    if shape.type_name == "structure":
        found: dict[str, Any] = {}
        for member, member_shape in shape.members.items():
            name = _query_name(member_shape, member, ec2=ec2)
            if not ec2 and member_shape.type_name == "list" and member_shape.serialization.get("flattened"):
                name = str(member_shape.member.serialization.get("name", name))
            key = f"{prefix}.{name}" if prefix else name
            if key in prefixes:
                found[member] = _query_value(member_shape, form, prefixes, key, ec2)
        return found
    if shape.type_name == "list":
        if not ec2 and not shape.serialization.get("flattened"):
            prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        items = []
        number = 1
        while f"{prefix}.{number}" in prefixes:
            items.append(_query_value(shape.member, form, prefixes, f"{prefix}.{number}", ec2))
            number += 1
        return items
    return _scalar(shape, form.get(prefix, ""))


def _scalar(shape: Any, text: str) -> Any:
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name in {"float", "double"}:
            return float(text)
        if shape.type_name == "timestamp":
            return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"Value ({text}) for a {shape.type_name} is invalid.") from error
    if shape.type_name == "boolean":
        return text.lower() == "true"
    return text


def parse_document(operation: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a decoded JSON or CBOR body into boto3-shaped parameters: numbers become times where the model says so."""
    if operation.input_shape is None:
        return {}
    parsed = _document_value(operation.input_shape, document)
    return parsed if isinstance(parsed, dict) else {}


def _document_value(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    if shape.type_name == "structure":
        return {
            member: _document_value(member_shape, value[member])
            for member, member_shape in shape.members.items()
            if value.get(member) is not None
        }
    if shape.type_name == "list":
        return [_document_value(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return value


# ---------------------------------------------------------------- answers


def _text(shape: Any, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value), _ENTITIES)


def _write_xml(shape: Any, value: Any, name: str, parts: list[str]) -> None:
    if shape.type_name == "structure":
        parts.append(f"<{name}>")
        for member, member_shape in shape.members.items():
            item = value.get(member)
            if item is not None:
                _write_xml(member_shape, item, member_shape.serialization.get("name", member), parts)
        parts.append(f"</{name}>")
    elif shape.type_name == "list":
        items = value.seconds if isinstance(value, Timestamps) else value
        element = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            for item in items:
                _write_xml(shape.member, item, name, parts)
            return
        parts.append(f"<{name}>")
        for item in items:
            _write_xml(shape.member, item, element, parts)
        parts.append(f"</{name}>")
    else:
        parts.append(f"<{name}>{_text(shape, value)}</{name}>")


def write_ec2(operation: Any, result: Mapping[str, Any]) -> Answer:
    """EC2's XML: members directly under the response element."""
    parts = [f'<{operation.name}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">']
    parts.append(f"<requestId>{_REQUEST_ID}</requestId>")
    if operation.output_shape is None:
        parts.append("<return>true</return>")
    else:
        for member, shape in operation.output_shape.members.items():
            if result.get(member) is not None:
                _write_xml(shape, result[member], shape.serialization.get("name", member), parts)
    parts.append(f"</{operation.name}Response>")
    return Answer(200, (("Content-Type", "text/xml;charset=UTF-8"),), "".join(parts).encode())


def write_query(operation: Any, result: Mapping[str, Any]) -> Answer:
    """AWS query XML: members under a result wrapper."""
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    parts = [f'<{operation.name}Response xmlns="{namespace}">']
    if operation.output_shape is not None:
        _write_xml(operation.output_shape, result, f"{operation.name}Result", parts)
    parts.append(
        f"<ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata></{operation.name}Response>"
    )
    return Answer(200, (("Content-Type", "text/xml"),), "".join(parts).encode())


def _plain(value: Any) -> Any:
    """JSON knows neither packed arrays nor times."""
    if isinstance(value, Timestamps):
        return list(value.seconds)
    if isinstance(value, datetime):
        return calendar.timegm(value.utctimetuple())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@lru_cache(maxsize=256)
def _tagged(seconds: tuple[int, ...]) -> list[cbor2.CBORTag]:
    # Tag 1 is seconds since the epoch (RFC 8949, section 3.4.2); Smithy's RPC v2 takes no other form of time.
    return [cbor2.CBORTag(1, second) for second in seconds]


def _encode_cbor(document: Mapping[str, Any]) -> bytes:
    def default(encoder: cbor2.CBOREncoder, value: Any) -> None:
        if not isinstance(value, Timestamps):
            raise TypeError(f"CBOR has no form for {type(value).__name__}")
        encoder.encode(_tagged(value.seconds))

    return cbor2.dumps(
        {key: item for key, item in document.items() if item is not None}, default=default, datetime_as_timestamp=True
    )


def decode_cbor(body: bytes) -> Mapping[str, Any]:
    """A CBOR request body.

    Raises:
        AwsError: SerializationException when it is not a map.
    """
    try:
        document = cbor2.loads(body) if body else {}
    except cbor2.CBORDecodeError as error:
        raise AwsError("SerializationException", "the request body is not valid CBOR") from error
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "the request body is not a map")
    return document


def write_document(protocol: str, result: Mapping[str, Any]) -> Answer:
    """CBOR or JSON 1.0, whichever the client asked in."""
    if protocol == "cbor":
        headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
        return Answer(200, headers, _encode_cbor(result))
    return Answer(200, (("Content-Type", "application/x-amz-json-1.0"),), orjson.dumps(_plain(dict(result))))


def write_error(protocol: str, error: AwsError) -> Answer:
    """The error in the protocol of the request; ``ec2``, ``query``, ``cbor``, ``json`` or a REST one."""
    code, message = escape(error.code), escape(error.message, _ENTITIES)
    if protocol == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message>"
            f"</Error></Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
        )
        return Answer(error.status, (("Content-Type", "text/xml;charset=UTF-8"),), body.encode())
    if protocol == "query":
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{message}</Message></Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
        )
        return Answer(error.status, (("Content-Type", "text/xml"),), body.encode())
    if protocol == "rest-xml":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{_REQUEST_ID}</RequestId></Error>"
        return Answer(error.status, (("Content-Type", "application/xml"),), body.encode())
    if protocol == "rest-json":
        headers: tuple[tuple[str, str], ...] = (
            ("Content-Type", "application/json"),
            ("x-amzn-ErrorType", error.code),
        )
        return Answer(error.status, headers, json.dumps({"message": error.message}).encode())
    fields = {"__type": f"com.amazonaws.cloudwatch#{error.code}", "message": error.message}
    compatible = ("x-amzn-query-error", f"{error.code};Sender")
    if protocol == "cbor":
        headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), compatible)
        return Answer(error.status, headers, _encode_cbor(fields))
    return Answer(
        error.status, (("Content-Type", "application/x-amz-json-1.0"), compatible), json.dumps(fields).encode()
    )


def decode_json(body: bytes) -> Mapping[str, Any]:
    """A JSON request body.

    Raises:
        AwsError: SerializationException when it is not an object.
    """
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "the request body is not valid JSON") from error
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "the request body is not an object")
    return document
