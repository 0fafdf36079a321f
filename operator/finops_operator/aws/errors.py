"""Translates botocore's exceptions into ours, where the type says what to do next.

Called by the reader, the role sessions and the step client. The hard question is only asked of changing calls: did the
request leave? Only a refused connection and an answer from AWS are certain; everything else is `AwsOutcomeUnknown`.
Codes: EC2's and CloudWatch's common error pages, STS AssumeRole errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Final

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsOutcomeUnknown,
    AwsRejected,
    AwsThrottled,
    AwsUnreachable,
)
from finops_operator.aws.permissions import permission_of

THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequests",
        "TooManyRequestsException",
    }
)
THROTTLED_READS: Final = frozenset({"LimitExceededException"})
"""Says of a read that too many were made at once (Kinesis, Cost Explorer), of a change that a quota is used up."""
DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedAccess", "UnauthorizedOperation"}
)
CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""Codes after which a fresh session may succeed."""
REGION_DISABLED: Final = frozenset({"OptInRequired", "RegionDisabledException", "SubscriptionRequiredException"})
_ALSO_REGION_DISABLED: Final = frozenset({"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"})
"""What a service says of good credentials in an opt-in region that is not enabled (AWS: "Enable regions")."""
CLOSED_BY_ORGANIZATION: Final = "ClosedByOrganization"
"""Our code for a denial by a service or resource control policy; AWS gives it the code of any other denial."""
_BY_ORGANIZATION: Final = re.compile(r"\b(service|resource) control policy\b", re.IGNORECASE)
"""From the texts "with an explicit deny in a service control policy" and "no service control policy allows the …"."""
_PERMISSION: Final = re.compile(r"\bperform:? ([a-z0-9-]+:[A-Za-z]+)")
"""What most services say is missing: IAM's name of the permission, which is not always that of the call."""
_NO_CREDENTIALS: Final = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.MetadataRetrievalError,
    sdk.UnknownCredentialError,
    sdk.RefreshWithMFAUnsupportedError,
)
_NOT_LOGGED_IN: Final = (
    sdk.SSOError,
    sdk.LoginError,
    sdk.TokenRetrievalError,
    sdk.NoAuthTokenError,
    sdk.UnknownTokenProviderError,
)
_BAD_PROFILE: Final = (sdk.ProfileNotFound, sdk.ConfigNotFound, sdk.ConfigParseError, sdk.InvalidConfigError)
# urllib3 raises these before a byte of the request is written.
_NEVER_LEFT: Final = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)
_INVALID_HERE: Final = (
    sdk.ParamValidationError,
    sdk.BaseEndpointResolverError,
    sdk.InvalidRegionError,
    sdk.UnknownRegionError,
    sdk.UnknownServiceError,
)
_BAD_SETTING: Final = (
    sdk.InvalidDefaultsMode,
    sdk.InvalidRetryConfigurationError,
    sdk.InvalidProxiesConfigError,
    sdk.InvalidSTSRegionalEndpointsConfigError,
    sdk.InvalidIMDSEndpointError,
    sdk.InvalidIMDSEndpointModeError,
    sdk.InvalidEndpointConfigurationError,
    sdk.InvalidEndpointDiscoveryConfigurationError,
    sdk.EndpointProviderError,
    sdk.InvalidChecksumConfigError,
)
_NETWORK: Final = (sdk.ConnectionError, sdk.HTTPClientError, sdk.IncompleteReadError)
_SERVER_ERROR: Final = 500
_UNREADABLE: Final = (OSError, JSONDecodeError, UnicodeDecodeError)
"""What reading credentials raises as it is: a token's file that is missing, a helper program that says no JSON."""
SDK_ERRORS: Final = (sdk.BotoCoreError, sdk.ClientError, ResponseParserError, *_UNREADABLE)
"""Everything an SDK call raises; an answer that does not parse is no BotoCoreError, and still no answer."""
_GIVE: Final = (
    "in a cluster give the pod a role (web identity or pod identity) or set aws.existingSecret; "
    "elsewhere set AWS_PROFILE, or run `aws configure` or `aws sso login`"
)
_USER_INFO: Final = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class CallContext:
    """What was called, for messages; `changing` decides what a lost answer means."""

    operation: str
    account: str = ""
    region: str = ""
    changing: bool = False

    @property
    def where(self) -> str:
        place = " in ".join(part for part in (self.account, self.region) if part)
        return f"{self.operation} ({place})" if place else self.operation


def translate(error: Exception, context: CallContext) -> AwsError:
    """Return our error for one of SDK_ERRORS; the caller raises it `from error`."""
    if isinstance(error, sdk.ClientError):
        return _answered(error, context)
    ours = _not_ready(error, context)
    if ours is not None:
        return ours
    name, message = type(error).__name__, _USER_INFO.sub("//***@", str(error))
    if context.changing and not isinstance(error, _NEVER_LEFT):
        return _make(AwsOutcomeUnknown, context, name, f"no answer to {context.where}: {message}")
    network = isinstance(error, (*_NETWORK, ResponseParserError))
    hint = "check the network, HTTPS_PROXY, AWS_CA_BUNDLE and AWS_ENDPOINT_URL" if network else ""
    return _make(AwsUnreachable, context, name, f"{context.where} could not be reached: {message}", hint)


def unusable(error: ValueError, context: CallContext) -> AwsError:
    """Return our error for a client that could not be made because of a setting the SDK does not name."""
    return _make(
        AwsCredentialsInvalid,
        context,
        "CredentialsInvalid",
        f"no usable AWS credentials: {_USER_INFO.sub('//***@', str(error))}",
        "check the AWS_… variables and at ~/.aws/config (AWS_CONFIG_FILE)",
    )


def invalid_endpoint(problem: str, hint: str, context: CallContext) -> AwsError:
    """Return our error for an endpoint that nothing can be sent to."""
    message = f"{context.where} was not sent: the configured endpoint is no address: {problem}"
    return _make(AwsRejected, context, "InvalidEndpoint", message, hint)


def _not_ready(error: Exception, context: CallContext) -> AwsError | None:
    """Return our error when the SDK had nothing to sign with or refused its own settings: then nothing was sent."""
    name = type(error).__name__
    unread = "" if context.changing else _unread(error)
    if unread:
        message = f"no usable AWS credentials: {unread}"
        return _make(AwsCredentialsInvalid, context, "CredentialsInvalid", message, _GIVE)
    for kinds, hint in (
        (_NO_CREDENTIALS, _GIVE),
        (_NOT_LOGGED_IN, "log in again: `aws sso login` (with --profile when AWS_PROFILE is set)"),
        (_BAD_PROFILE, "correct AWS_PROFILE and the file it is read from: ~/.aws/config, or AWS_CONFIG_FILE"),
    ):
        if isinstance(error, kinds):
            return _make(AwsCredentialsInvalid, context, name, f"no usable AWS credentials: {error}", hint)
    if isinstance(error, (*_INVALID_HERE, *_BAD_SETTING)):
        hint = "correct it in the AWS_… variables or in ~/.aws/config" if isinstance(error, _BAD_SETTING) else ""
        return _make(AwsRejected, context, name, f"{context.where} was not sent: {error}", hint)
    return None


def _unread(error: Exception) -> str:
    """Return what of the credentials could not be read; some of the SDK's network errors are OSErrors as well."""
    if isinstance(error, sdk.BotoCoreError) or not isinstance(error, _UNREADABLE):
        return ""
    if isinstance(error, OSError):
        return f"cannot read {error.filename}: {error.strerror}" if error.filename else ""
    return f"what was read for them is no {'JSON' if isinstance(error, JSONDecodeError) else 'text'}"


def _answered(error: sdk.ClientError, context: CallContext) -> AwsError:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown").removeprefix("Client.").removeprefix("Server.")
    text = str(details.get("Message") or "no message")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = f"{context.where}: {text}"
    if code in THROTTLED or (code in THROTTLED_READS and not context.changing):
        return _make(AwsThrottled, context, code, message, "AWS limits the rate; the next scan tries again")
    if code in DENIED:
        return _denied(context, code, message, text)
    if code in CREDENTIALS:
        hint = "renew the credentials, or check the machine's clock"
        if code in _ALSO_REGION_DISABLED and context.region:
            hint += f"; a region that is not enabled answers the same: is {context.region} enabled in the account?"
        return _make(AwsCredentialsInvalid, context, code, message, hint)
    if code in REGION_DISABLED:
        return _make(
            AwsUnreachable, context, code, message, "enable the region in the account, or leave it out of spec.regions"
        )
    if status >= _SERVER_ERROR:
        return _make(AwsOutcomeUnknown if context.changing else AwsUnreachable, context, code, message)
    return _make(AwsRejected, context, code, message)


def _denied(context: CallContext, code: str, message: str, text: str) -> AwsError:
    """Return our error for a denial; one by an organization's policy no change of the role can lift."""
    if not _BY_ORGANIZATION.search(text):
        named = _PERMISSION.search(text)
        return _make(
            AwsDenied,
            context,
            code,
            message,
            f"allow {named[1] if named else permission_of(context.operation)} to this role",
        )
    where = f"in {context.region} " if context.region else ""
    return _make(
        AwsDenied,
        context,
        CLOSED_BY_ORGANIZATION,
        f"{context.operation} is closed {where}by an organization policy: {text}",
        "leave the region out of spec.regions, or ask those who keep the organization's policies to allow it",
    )


def _make(kind: type[AwsError], context: CallContext, code: str, message: str, hint: str = "") -> AwsError:
    return kind(
        message, operation=context.operation, code=code, account=context.account, region=context.region, hint=hint
    )
