"""Errors as AWS words them. Handlers raise these; the server writes them in the caller's protocol."""


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


def throttled(service: str) -> AwsError:
    """The service's throttling error (EC2 API throttling guide: RequestLimitExceeded; others: Throttling)."""
    if service == "ec2":
        return AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
    return AwsError("Throttling", "Rate exceeded", 400)
