"""Who calls: static keys, roles with trust policies, and the sessions that AssumeRole makes.

The server asks :meth:`IdentityStore.authenticate` for every request and the STS handler :meth:`IdentityStore.assume`.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.clock import SandboxClock
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.policy_evaluator import (
    AccessRequest,
    Decision,
    MalformedPolicyError,
    Policy,
    authorize,
    evaluate,
    parse_policy,
)

# STS API reference, AssumeRole: alphabets and lengths of its parameters.
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*")
MAX_SESSION_POLICY_CHARACTERS = 2048
MAX_SESSION_TAGS = 50
MIN_DURATION_SECONDS = 900
DEFAULT_DURATION_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role of one account."""

    arn: str
    trust: Policy
    policies: tuple[Policy, ...]
    max_duration_seconds: int = 3600

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def unique_id(self) -> str:
        return "AROA" + hashlib.sha256(self.arn.encode()).hexdigest()[:17].upper()


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity behind one access key: an IAM user, or a session of a role."""

    access_key: str
    secret_key: str
    arn: str
    user_id: str
    policies: tuple[Policy, ...]
    session_token: str = ""
    session_policy: Policy | None = None
    role_arn: str = ""
    session_name: str = ""
    source_identity: str = ""
    session_tags: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    def principals(self) -> tuple[str, ...]:
        """The names by which a trust policy may mean this caller."""
        account = self.account
        names = [self.arn, account, f"arn:aws:iam::{account}:root"]
        if self.role_arn:
            names.append(self.role_arn)
        return tuple(names)

    def decide(self, request: AccessRequest) -> Decision:
        return authorize(self.policies, self.session_policy, request)


def _invalid(name: str, value: str, constraint: str) -> AwsError:
    return AwsError(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}",
    )


class IdentityStore:
    """All users, roles and live sessions of the double. Thread-safe."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._callers: dict[str, Caller] = {}
        self._roles: dict[str, Role] = {}

    def add_user(self, arn: str, access_key: str, secret_key: str, policies: Sequence[Policy]) -> None:
        user_id = "AIDA" + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
        with self._lock:
            self._callers[access_key] = Caller(access_key, secret_key, arn, user_id, tuple(policies))

    def add_role(self, role: Role) -> None:
        with self._lock:
            self._roles[role.arn] = role

    def clear(self) -> None:
        with self._lock:
            self._callers.clear()
            self._roles.clear()

    def user(self, arn: str) -> Caller:
        """The static key of a seeded user, for clients that tests make.

        Raises:
            KeyError: when no such user was seeded.
        """
        with self._lock:
            for caller in self._callers.values():
                if caller.arn == arn:
                    return caller
        raise KeyError(arn)

    def authenticate(self, service: str, access_key: str, session_token: str) -> Caller:
        """Find the caller of a request.

        Raises:
            AwsError: unknown key, wrong token or expired session, in the service's own words.
        """
        with self._lock:
            caller = self._callers.get(access_key)
        if caller is None or caller.session_token != session_token:
            if service == "ec2":
                raise AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
            code = "UnrecognizedClientException" if service == "monitoring" else "InvalidClientTokenId"
            raise AwsError(code, "The security token included in the request is invalid.", 403)
        if caller.expires_at is not None and caller.expires_at <= self._clock.now():
            code = "RequestExpired" if service == "ec2" else "ExpiredToken"
            message = "Request has expired." if service == "ec2" else "The security token in the request is expired"
            raise AwsError(code, message, 400 if service == "ec2" else 403)
        return caller

    def assume(self, caller: Caller, parameters: Mapping[str, Any]) -> Caller:
        """AssumeRole with AWS's own checks; returns the new session.

        Raises:
            AwsError: ValidationError, MalformedPolicyDocument or AccessDenied.
        """
        _validate(parameters)
        role_arn = str(parameters.get("RoleArn", ""))
        with self._lock:
            role = self._roles.get(role_arn)
        self._check_trust(caller, role, parameters)
        assert role is not None
        seconds = _duration(caller, role, parameters)
        session_policy = _session_policy(parameters)
        session_name = str(parameters["RoleSessionName"])
        # SourceIdentity is handed down the chain of roles (STS API reference).
        source = str(parameters.get("SourceIdentity", "")) or caller.source_identity
        session = Caller(
            access_key="ASIA" + secrets.token_hex(8).upper(),
            secret_key=secrets.token_urlsafe(30),
            arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session_name}",
            user_id=f"{role.unique_id}:{session_name}",
            policies=role.policies,
            session_token=secrets.token_urlsafe(96),
            session_policy=session_policy,
            role_arn=role.arn,
            session_name=session_name,
            source_identity=source,
            session_tags=_session_tags(parameters),
            expires_at=self._clock.now().replace(microsecond=0) + timedelta(seconds=seconds),
        )
        with self._lock:
            self._callers[session.access_key] = session
        return session

    def _check_trust(self, caller: Caller, role: Role | None, parameters: Mapping[str, Any]) -> None:
        role_arn = str(parameters.get("RoleArn", ""))
        context = _assume_context(caller, parameters)
        actions = ["sts:AssumeRole"]
        if parameters.get("Tags"):
            actions.append("sts:TagSession")
        if parameters.get("SourceIdentity"):
            actions.append("sts:SetSourceIdentity")
        changed_source = caller.source_identity and parameters.get("SourceIdentity") not in {
            None,
            caller.source_identity,
        }
        for action in actions:
            request = AccessRequest(action, role_arn, context, caller.principals())
            trusted = role is not None and not changed_source and evaluate([role.trust], request).allowed
            if not trusted or not caller.decide(request).allowed:
                message = f"User: {caller.arn} is not authorized to perform: {action} on resource: {role_arn}"
                raise AwsError("AccessDenied", message, 403)


def _assume_context(caller: Caller, parameters: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        "aws:principalarn": (caller.role_arn or caller.arn,),
        "aws:principalaccount": (caller.account,),
        "sts:rolesessionname": (str(parameters.get("RoleSessionName", "")),),
    }
    if parameters.get("ExternalId"):
        context["sts:externalid"] = (str(parameters["ExternalId"]),)
    if parameters.get("SourceIdentity"):
        context["sts:sourceidentity"] = (str(parameters["SourceIdentity"]),)
    tags = parameters.get("Tags") or []
    for tag in tags:
        context[f"aws:requesttag/{str(tag['Key']).lower()}"] = (str(tag.get("Value", "")),)
    if tags:
        context["aws:tagkeys"] = tuple(str(tag["Key"]) for tag in tags)
    return context


def _validate(parameters: Mapping[str, Any]) -> None:
    name = str(parameters.get("RoleSessionName", ""))
    if not _NAME.fullmatch(name):
        raise _invalid("roleSessionName", name, r"Member must satisfy regular expression pattern: [\w+=,.@-]{2,64}")
    source = parameters.get("SourceIdentity")
    if source is not None and (not _NAME.fullmatch(source) or source.lower().startswith("aws:")):
        raise _invalid("sourceIdentity", source, r"Member must satisfy regular expression pattern: [\w+=,.@-]{2,64}")
    external = parameters.get("ExternalId")
    if external is not None and not _EXTERNAL_ID.fullmatch(external):
        raise _invalid("externalId", external, r"Member must satisfy regular expression pattern: [\w+=,.@:\/-]*")
    if parameters.get("PolicyArns"):
        raise AwsError("ValidationError", "the AWS double has no managed policies: give the session an inline Policy")
    policy = str(parameters.get("Policy") or "")
    if len(policy) > MAX_SESSION_POLICY_CHARACTERS:
        raise _invalid("policy", policy[:40] + "…", "Member must have length less than or equal to 2048")
    tags = parameters.get("Tags") or []
    if len(tags) > MAX_SESSION_TAGS:
        raise _invalid("tags", str(len(tags)), "Member must have length less than or equal to 50")
    for tag in tags:
        key, value = str(tag.get("Key", "")), str(tag.get("Value", ""))
        if not 1 <= len(key) <= 128 or len(value) > 256 or not _TAG_TEXT.fullmatch(key + value):
            raise _invalid(
                "tags", key, "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"
            )
    keys = [str(tag["Key"]).lower() for tag in tags]
    if len(set(keys)) != len(keys):
        raise AwsError(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )


def _duration(caller: Caller, role: Role, parameters: Mapping[str, Any]) -> int:
    seconds = int(parameters.get("DurationSeconds") or DEFAULT_DURATION_SECONDS)
    if seconds < MIN_DURATION_SECONDS:
        raise _invalid("durationSeconds", str(seconds), "Member must have value greater than or equal to 900")
    limit = role.max_duration_seconds
    # Role chaining caps the session at one hour (STS API reference).
    if caller.role_arn:
        limit = min(limit, 3600)
    if seconds > limit:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return seconds


def _session_policy(parameters: Mapping[str, Any]) -> Policy | None:
    if not parameters.get("Policy"):
        return None
    try:
        return parse_policy(str(parameters["Policy"]))
    except MalformedPolicyError as error:
        raise AwsError("MalformedPolicyDocument", f"Syntax errors in policy: {error}.") from error


def _session_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in parameters.get("Tags") or []}
