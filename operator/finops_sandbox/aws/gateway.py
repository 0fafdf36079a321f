"""The strict layer: one request in, one answer out.

Order, as in AWS: who calls (key, signature, expiry) → faults on command → may they (policy per ARN) → DryRun → do it →
record it. Calls that need no strictness of ours go on to moto's own server application. The HTTP server owns one.
"""

import gzip
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from finops_sandbox.aws import (
    accelerators,
    addresses,
    buckets,
    cloudwatch,
    commitments,
    cost_explorer,
    database_classes,
    database_clusters,
    database_deletions,
    database_snapshots,
    databases,
    describe,
    families,
    functions,
    images,
    log_groups,
    log_queries,
    nat_gateways,
    new_volumes,
    object_lock,
    operations,
    price_list,
    provisioned_concurrency,
    quotas,
    serverless_caches,
    services,
    snapshots,
    strict_ec2,
    sts,
    tables,
    volumes,
    wire,
    written,
)
from finops_sandbox.aws.authorization import check, targets
from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError, ConnectionDropped, denied, in_words_of, throttled
from finops_sandbox.aws.faults import CallFacts, Fault
from finops_sandbox.aws.identity import Caller, IdentityStore
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.moto_server import MotoServer
from finops_sandbox.aws.record import APPLIED_REPLY_DROPPED, DROPPED_BEFORE, OK, CallLog, CallRecord
from finops_sandbox.aws.signature import Authorization, is_valid, parse_authorization
from finops_sandbox.aws.transitions import settle
from finops_sandbox.aws.wire import Answer

_READING = ("Describe", "Get", "List", "Search")
_ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")
_SERVER_ERROR = 500
# What a partition has once: no region of it has to be opted into.
_ANYWHERE = {"ce", "sts", "globalaccelerator", "savingsplans"}
# What moto does not have and the double answers itself, though not strictly.
# On every answer of a service that the strict layer does not know.
NOT_STRICT = ("x-finops-sandbox", "not strict")
_NOT_IN_MOTO = {
    **accelerators.HANDLERS,
    **commitments.PLAN_HANDLERS,
    **cost_explorer.HANDLERS,
    **provisioned_concurrency.HANDLERS,
    **serverless_caches.HANDLERS,
    **databases.HANDLERS,
    **database_clusters.HANDLERS,
    **database_classes.HANDLERS,
    **database_deletions.HANDLERS,
    **database_snapshots.HANDLERS,
    **services.HANDLERS,
    **functions.HANDLERS,
    **log_queries.HANDLERS,
    **snapshots.BIN_HANDLERS,
    **price_list.HANDLERS,
    **quotas.HANDLERS,
}
# What AWS refuses and moto takes; asked before moto.
_REFUSALS = {**log_groups.REFUSALS, **tables.REFUSALS, **buckets.REFUSALS, **object_lock.REFUSALS}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it arrived; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Parsed:
    protocol: str
    model: str
    action: str
    parameters: Mapping[str, Any]
    operation: Any


class Gateway:
    """Everything between the socket and moto."""

    def __init__(self, estate: LiveEstate, identities: IdentityStore, log: CallLog) -> None:
        self.estate = estate
        self.identities = identities
        self.log = log
        self._handlers: dict[str, dict[str, Handler]] = {
            "ec2": {
                **addresses.HANDLERS,
                **commitments.HANDLERS,
                **describe.HANDLERS,
                **images.HANDLERS,
                **nat_gateways.HANDLERS,
                **new_volumes.HANDLERS,
                **snapshots.HANDLERS,
                **strict_ec2.HANDLERS,
                **volumes.HANDLERS,
            },
            "sts": sts.handlers(identities),
            "monitoring": cloudwatch.HANDLERS,
        }
        self._moto = MotoServer()

    def serve(self, request: Request) -> Answer:
        """Answer one AWS request.

        Raises:
            ConnectionDropped: when an injected fault swallows the request or its answer.
        """
        authorization = parse_authorization(request.headers.get("authorization", ""))
        protocol = _protocol(request, authorization.service if authorization else "ec2")
        try:
            authorization = _signed(authorization)
            strict = wire.is_strict(authorization.service)
            parsed = _parse(authorization.service, protocol, request, strict=strict)
            protocol = parsed.protocol
            caller = self.identities.authenticate(
                authorization.service, authorization.access_key, request.headers.get("x-amz-security-token", "")
            )
            _check_signature(authorization, caller, request)
        except AwsError as error:
            return wire.write_error(protocol, error)
        call = Call(
            authorization.service,
            parsed.action,
            caller.account,
            authorization.region,
            caller,
            parsed.parameters,
            self.estate,
            strict,
        )
        answer = self._serve_call(call, parsed, request)
        return answer if strict else Answer(answer.status, (*answer.headers, NOT_STRICT), answer.body)

    def _serve_call(self, call: Call, parsed: _Parsed, request: Request) -> Answer:
        self.log.count("cloudwatch" if call.service == "monitoring" else call.service, call.action)
        sequence = self.log.next_sequence()
        facts = call.facts(*targets(call.parameters, call.action))
        result = OK
        try:
            self._faults_before(call, facts)
            answer = self._perform(call, parsed, request)
            if answer.status >= 400:
                result = _error_code(answer)
        except AwsError as error:
            worded = error if call.strict else in_words_of(parsed.protocol, error)
            result = worded.code
            answer = wire.write_error(parsed.protocol, worded)
        except ConnectionDropped:
            self._record(call, sequence, DROPPED_BEFORE, 0)
            raise
        if self.estate.faults.strike("drop_after", facts):
            self._record(call, sequence, APPLIED_REPLY_DROPPED if result == OK else result, 0)
            raise ConnectionDropped(applied=result == OK)
        self._record(call, sequence, result, answer.status)
        return answer

    # ------------------------------------------------------------ faults

    def _faults_before(self, call: Call, facts: CallFacts) -> None:
        strike = self.estate.faults.strike
        if fault := strike("latency", facts):
            time.sleep(_seconds(fault))
        if fault := strike("hang", facts):
            time.sleep(_seconds(fault))
            raise ConnectionDropped(applied=False)
        if strike("drop_before", facts):
            raise ConnectionDropped(applied=False)
        if fault := strike("http_error", facts):
            status = int(fault.options.get("status", _SERVER_ERROR))
            code = "Unavailable" if status == 503 else "InternalError"
            raise AwsError(code, "An internal error has occurred", status)
        if strike("throttle", facts):
            raise throttled(call.service)
        if fault := strike("region_disabled", facts):
            code = str(fault.options.get("code", "OptInRequired"))
            raise AwsError(code, "You are not subscribed to this service. The region is not enabled.", 401)
        if strike("deny", facts):
            message = f"You are not authorized to perform this operation. User: {call.caller.arn}, action {call.action}"
            raise denied(call.service, message)
        if call.parameters.get("NextToken") and strike("lost_page", facts):
            raise AwsError("InternalError", "An internal error has occurred", _SERVER_ERROR)
        if fault := strike("error", facts):
            code, message = fault.options.get("code", "InternalError"), fault.options.get("message", "injected")
            raise AwsError(str(code), str(message), int(fault.options.get("status", 400)))

    # ------------------------------------------------------------ work

    def _perform(self, call: Call, parsed: _Parsed, request: Request) -> Answer:
        if call.service not in _ANYWHERE and not self.estate.is_enabled(call.account, call.region):
            # What EC2 says to a key in a region that the account has not opted into.
            raise AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
        operation = f"{parsed.model}:{call.action}"
        if self.estate.further.written.writes(call.account, call.region, operation):
            parameters = parsed.parameters
            if not call.strict:
                parameters = written.parameters_of(operation, parsed.protocol, parameters)
            found = self.estate.further.written.find(call.account, call.region, operation, parameters)
            if found is not None:
                check(call)
                members = written.members_of(found, parameters)
                return (
                    self._write(parsed, members) if call.strict else written.write(operation, parsed.protocol, members)
                )
        if not call.strict:
            return self._perform_not_strict(call, parsed, request)
        handler = self._handler(call)
        if call.service != "ec2":
            check(call)
            if handler is not None:
                return self._write(parsed, handler(call))
            if call.service == "monitoring":
                # The series are ours; alarms are moto's.
                return self._ask_moto(call, request)
            raise AwsError("InvalidAction", f"the AWS double has no {call.service} action {call.action}")
        from moto.core.exceptions import ServiceException  # noqa: PLC0415 - moto loads slowly

        with self.estate.lock:
            if (call.account, call.region) not in self.estate.fleets:
                settle(self.estate, call.account, call.region)
            check(call)
            if call.parameters.get("DryRun"):
                raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            if handler is None:
                return self._ask_moto(call, request)
            try:
                result = handler(call)
            except ServiceException as error:
                raise AwsError(str(error.code), str(error.message)) from error
        return self._write(parsed, result)

    def _handler(self, call: Call) -> Handler | None:
        if call.service == "ec2" and (call.account, call.region) in self.estate.further.images:
            return images.HELD.get(call.action) or self._handlers["ec2"].get(call.action)
        return self._handlers[call.service].get(call.action)

    def _write(self, parsed: _Parsed, result: Mapping[str, Any]) -> Answer:
        if parsed.protocol == "ec2":
            return wire.write_ec2(parsed.operation, result)
        if parsed.protocol == "query":
            return wire.write_query(parsed.operation, result)
        return wire.write_document(parsed.protocol, result)

    def _ask_moto(self, call: Call, request: Request) -> Answer:
        prepared = self._moto.prepare(request.method, request.target, request.headers, request.body, call.account)
        with self.estate.lock:
            return self._moto.ask(prepared, call.service, call.action)

    def _perform_not_strict(self, call: Call, parsed: _Parsed, request: Request) -> Answer:
        check(call)
        if families.serves(self.estate, call, operation := f"{parsed.model}:{call.action}"):
            parameters = written.parameters_of(operation, parsed.protocol, parsed.parameters)
            with self.estate.lock:
                members = families.answer(call, operation, parameters)
            return written.write(operation, parsed.protocol, members)
        asked = (call.service, call.action)
        with self.estate.lock:
            if call.service == "rds":
                databases.settle(self.estate, call.account, call.region)
                database_deletions.settle(self.estate, call.account, call.region)
                database_clusters.settle(self.estate, call.account, call.region)
                database_snapshots.settle(self.estate, call.account, call.region)
            if call.service == "ecs":
                services.settle(self.estate, call.account, call.region)
            if refuse := _REFUSALS.get(asked):
                refuse(call)
            own = _NOT_IN_MOTO.get(asked)
            return self._ask_moto(call, request) if own is None else own(call)

    def _record(self, call: Call, sequence: int, result: str, status: int) -> None:
        assumed = (call.service, call.action) == ("sts", "AssumeRole")
        changing = (call.service == "ec2" or not call.strict) and not call.action.startswith(_READING)
        if not assumed and not changing:
            return
        keep = self.log.append_session if assumed else self.log.append
        keep(
            CallRecord(
                sequence=sequence,
                time=self.estate.clock.now(),
                service=call.service,
                action=call.action,
                account=call.account,
                region=call.region,
                access_key=call.caller.access_key,
                principal_arn=call.caller.arn,
                role_arn=call.caller.role_arn,
                session_name=call.caller.session_name,
                source_identity=call.caller.source_identity,
                session_tags=call.caller.session_tags,
                dry_run=bool(call.parameters.get("DryRun")),
                parameters=call.parameters,
                targets=targets(call.parameters, call.action),
                result=result,
                status=status,
                strict=call.strict,
            )
        )


def _signed(authorization: Authorization | None) -> Authorization:
    if authorization is None:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return authorization


def _check_signature(authorization: Authorization, caller: Caller, request: Request) -> None:
    if is_valid(authorization, caller.secret_key, request.method, request.target, request.headers, request.body):
        return
    if authorization.service == "ec2":
        raise AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    message = "The request signature we calculated does not match the signature you provided."
    raise AwsError("SignatureDoesNotMatch", message, 403)


def _seconds(fault: Fault) -> float:
    return float(fault.options.get("seconds", 1.0))


def _protocol(request: Request, service: str) -> str:
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if "x-amz-target" in request.headers:
        return "json"
    return "ec2" if service == "ec2" else "query"


def _error_code(answer: Answer) -> str:
    """Return AWS's word for what went wrong, from the body or the header of an error that moto wrote."""
    if code := _ERROR_CODE.search(answer.body):
        return code.group(1).decode()
    headers = {name.lower(): value for name, value in answer.headers}
    if "x-amzn-errortype" in headers:
        return headers["x-amzn-errortype"].partition(":")[0]
    try:
        return str(json.loads(answer.body)["__type"]).rsplit("#", 1)[-1]
    except (ValueError, KeyError, TypeError):
        return "InternalError"


def _parse(service: str, protocol: str, request: Request, *, strict: bool) -> _Parsed:
    packed = request.headers.get("content-encoding") == "gzip" and service != "s3"
    body = gzip.decompress(request.body) if packed else request.body
    if not strict:
        found = operations.identify(service, request.method, request.target, request.headers, body)
        return _Parsed(found.protocol, found.model, found.action, found.parameters, None)
    if protocol == "cbor":
        action = request.target.partition("?")[0].rsplit("/", 1)[-1]
        operation = wire.operation_model(service, action)
        return _Parsed(
            protocol, wire.model_of(service), action, wire.parse_document(operation, wire.decode_cbor(body)), operation
        )
    if protocol == "json":
        action = request.headers["x-amz-target"].rsplit(".", 1)[-1]
        operation = wire.operation_model(service, action)
        return _Parsed(
            protocol, wire.model_of(service), action, wire.parse_document(operation, wire.decode_json(body)), operation
        )
    form = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
    form.update(parse_qsl(body.decode(), keep_blank_values=True))
    action = form.get("Action", "")
    operation = wire.operation_model(service, action)
    return _Parsed(
        protocol, wire.model_of(service), action, wire.parse_query(operation, form, ec2=protocol == "ec2"), operation
    )
