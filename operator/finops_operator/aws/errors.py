"""Translates botocore's exceptions into ours, where the type says what to do next.

Called by the reader, the role sessions and the step client. The hard question is only asked of changing calls: did the
request leave? Only a refused connection and an answer from AWS are certain; everything else is `AwsOutcomeUnknown`.
Codes: EC2's and CloudWatch's common error pages, STS AssumeRole errors.
"""

from __future__ import annotations

from dataclasses import dataclass
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

THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
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
        "TooManyRequestsException",
    }
)
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
_NO_CREDENTIALS: Final = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.TokenRetrievalError,
    sdk.NoAuthTokenError,
    sdk.UnauthorizedSSOTokenError,
    sdk.ProfileNotFound,
    sdk.RefreshWithMFAUnsupportedError,
)
# urllib3 raises these before a byte of the request is written.
_NEVER_LEFT: Final = (sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError)
_INVALID_HERE: Final = (sdk.ParamValidationError, sdk.NoRegionError, sdk.InvalidRegionError, sdk.UnknownServiceError)
_SERVER_ERROR: Final = 500
SDK_ERRORS: Final = (sdk.BotoCoreError, sdk.ClientError, ResponseParserError)
"""Everything an SDK call raises; an answer that does not parse is no BotoCoreError, and still no answer."""


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
    name = type(error).__name__
    if isinstance(error, _NO_CREDENTIALS):
        return _make(
            AwsCredentialsInvalid,
            context,
            name,
            f"no usable AWS credentials: {error}",
            "give the pod a role (web identity or pod identity), or set aws.existingSecret",
        )
    if isinstance(error, _INVALID_HERE):
        return _make(AwsRejected, context, name, f"{context.where} was not sent: {error}")
    if context.changing and not isinstance(error, _NEVER_LEFT):
        return _make(AwsOutcomeUnknown, context, name, f"no answer to {context.where}: {error}")
    return _make(
        AwsUnreachable,
        context,
        name,
        f"{context.where} could not be reached: {error}",
        "check the network, the endpoint and AWS_ENDPOINT_URL",
    )


def _answered(error: sdk.ClientError, context: CallContext) -> AwsError:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown").removeprefix("Client.").removeprefix("Server.")
    text = str(details.get("Message") or "no message")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = f"{context.where}: {text}"
    if code in THROTTLED:
        return _make(AwsThrottled, context, code, message, "AWS limits the rate; the next scan tries again")
    if code in DENIED:
        return _make(AwsDenied, context, code, message, f"allow {context.operation} to this role")
    if code in CREDENTIALS:
        return _make(
            AwsCredentialsInvalid, context, code, message, "renew the credentials, or check the machine's clock"
        )
    if code in REGION_DISABLED:
        return _make(
            AwsUnreachable, context, code, message, "enable the region in the account, or leave it out of spec.regions"
        )
    if status >= _SERVER_ERROR:
        return _make(AwsOutcomeUnknown if context.changing else AwsUnreachable, context, code, message)
    return _make(AwsRejected, context, code, message)


def _make(kind: type[AwsError], context: CallContext, code: str, message: str, hint: str = "") -> AwsError:
    return kind(
        message, operation=context.operation, code=code, account=context.account, region=context.region, hint=hint
    )
