"""Errors as AWS words them. Handlers raise these; the server writes them in the caller's protocol."""

from collections.abc import Mapping


class AwsError(Exception):
    """An AWS error answer: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ConnectionDropped(Exception):
    """The connection must be closed without an answer."""

    def __init__(self, *, applied: bool) -> None:
        super().__init__("connection dropped")
        self.applied = applied


def denied(service: str, message: str) -> AwsError:
    """The service's own word for a missing right: EC2 says UnauthorizedOperation, the others AccessDenied."""
    if service == "ec2":
        return AwsError("UnauthorizedOperation", message, 403)
    return AwsError("AccessDenied", message, 403)


def in_words_of(protocol: str, error: AwsError) -> AwsError:
    """The error as services of a protocol name it: those that speak JSON end the names of their errors in Exception."""
    if error.code in {"AccessDenied", "Throttling"} and protocol in {"json", "rest-json", "cbor"}:
        return AwsError(f"{error.code}Exception", error.message, error.status)
    return error


THROTTLED: Mapping[str, tuple[str, str, int]] = {
    "ce": ("LimitExceededException", "Rate exceeded", 400),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "elasticfilesystem": ("ThrottlingException", "Rate exceeded", 429),
    "eks": ("ThrottlingException", "Rate exceeded", 429),
    "es": ("ThrottlingException", "Rate exceeded", 429),
    "kafka": ("TooManyRequestsException", "Too Many Requests", 429),
    "kinesis": ("LimitExceededException", "Rate exceeded for stream limits under account.", 400),
    "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "servicequotas": ("TooManyRequestsException", "Rate exceeded", 400),
    "tagging": ("ThrottledException", "Rate exceeded", 400),
}
"""The name by which calls of a service are signed → code, message and status of its throttling, where they are its own.

Source: the errors that the SDK's models name; EC2 "Request throttling"; S3 "Error responses"; Kinesis, ListStreams.
"""


def throttled(service: str) -> AwsError:
    """The throttling error of a service; the common one is Throttling, in JSON with Exception."""
    return AwsError(*THROTTLED.get(service, ("Throttling", "Rate exceeded", 400)))
