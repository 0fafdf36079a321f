"""One SDK loader per process, sessions and clients that share it; in demo mode no endpoint beyond this machine.

`SdkSessions` is made once by the composition root and handed to readers and executor sessions. Sessions and clients are
expensive (a first EC2 client costs 136 ms and 26 MB, a further one on the same loader 8 ms and 1 MB), so they are made
under a lock, shared between threads (clients are thread-safe) and bounded.
"""

from __future__ import annotations

import gzip
import ipaddress
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from botocore.config import Config
from botocore.credentials import CredentialResolver, Credentials
from botocore.session import Session

from finops.errors import FinopsError, Refused
from finops.ports.clock import SystemClock
from finops_operator.aws.counting import CallCounter, counting_handler
from finops_operator.aws.environment import ENDPOINT_HINT, check_environment, endpoint_problem
from finops_operator.aws.errors import SDK_ERRORS, CallContext, invalid_endpoint, translate, unusable
from finops_operator.aws.paging import Paging, PagingModels
from finops_operator.aws.parsing import GET_METRIC_DATA_EVENT, keep_text, take_metric_points
from finops_operator.aws.server_time import ServerTime

logger = logging.getLogger(__name__)
_POOL_CONNECTIONS: Final = 32
_MAX_CLIENTS: Final = 32
"""About those of one account and region; a scan walks through these, so that the clients of earlier ones only wait."""
_NO_ENDPOINT: Final = ("Invalid endpoint", "Invalid IPv6 URL", "Port could not be cast", "Port out of range")
"""How the SDK and the standard library begin when an endpoint is no address."""


_OPENED_BY: Final[Mapping[str, Callable[..., Any]]] = {".json": open, ".json.gz": gzip.open}
"""Ending of a file of the SDK's → what opens it; the first one that is there counts."""


class _FixedProvider:
    """Hands given credentials to a botocore session through its public credential chain."""

    METHOD = "finops"
    CANONICAL_NAME = "finops"

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load(self) -> Any:
        return self._credentials


class _WithoutDocumentation:
    """Reads the SDK's data without its texts for people: they are half of what a service's description needs in memory.

    Takes the place of `botocore.loaders.JSONFileLoader`, which reads into dictionaries of twice the size and takes more
    of the processor. Nothing of what is read is shared: the SDK changes shapes in place.
    """

    def __init__(self, files: Any) -> None:
        self._files = files

    def exists(self, file_path: str) -> bool:
        return bool(self._files.exists(file_path))

    def load_file(self, file_path: str) -> Any:
        """Return what a file holds, by its path without its ending; None where there is none."""
        for ending, opened in _OPENED_BY.items():
            path = Path(file_path + ending)
            if path.is_file():
                with opened(path, "rb") as file:
                    return _slim(orjson.loads(file.read()))
        return None


def _slim(description: Any) -> Any:
    """Return the same with every text named `documentation` emptied: some of the SDK's code takes the name for granted.

    A member of a shape may have that name too and stays.
    """
    waiting = [description]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("documentation"), str):
                one["documentation"] = ""
            one = one.values()
        waiting += (value for value in one if isinstance(value, (dict, list)))
    return description


class SdkSessions:
    """Makes botocore sessions that share one loader, count what they send and keep times as text.

    Attributes:
        server_time: AWS's time as STS's answers to all of them show it.
    """

    def __init__(self, process_counter: CallCounter, *, demo: bool = False) -> None:
        self._names: dict[str, str] = {}
        self._handler = counting_handler(process_counter, self._names)
        self._demo = demo
        # Held against the lease, which runs in the machine's own seconds, whatever clock the rest of the process has.
        self.server_time = ServerTime(SystemClock())
        self._lock = threading.Lock()
        self._shared: tuple[Session, PagingModels] | None = None
        # It logs with a traceback what it raises as well, and what we then say in one line.
        logging.getLogger("botocore.credentials").setLevel(logging.ERROR)

    def check(self, environment: Mapping[str, str] = os.environ) -> None:
        """Say at once what every later call would say: endpoints and profile of `environment`; sends nothing.

        Raises:
            InvalidInput: a variable does not hold what the SDK reads there.
            AwsCredentialsInvalid: the profile or the configuration file cannot be used.
        """
        check_environment(environment)
        self._made()

    def log_problem(self) -> None:
        """Log what `check` has to say. No reason to stop: every scan says it in the conditions of what it scans."""
        try:
            self.check()
        except FinopsError as error:
            logger.error("AWS credentials or endpoint are unusable: %s", error)  # noqa: TRY400 - the sentence is the whole story

    @property
    def base(self) -> Session:
        """The process's own identity, by the SDK's credential chain.

        Raises:
            AwsCredentialsInvalid: the profile or the configuration file cannot be used; asked anew every time.
        """
        return self._made()[0]

    def paging(self, operation: str) -> Paging:
        """Return how `operation` (`service:Operation`) pages, as the SDK's data describe it."""
        return self._made()[1].of(operation)

    def _made(self) -> tuple[Session, PagingModels]:
        with self._lock:
            if self._shared is None:
                session = Session()
                try:
                    # The loader is where the SDK first reads its configuration.
                    loader = session.get_component("data_loader")
                    loader.file_loader = _WithoutDocumentation(loader.file_loader)
                    self._shared = self._prepared(session), PagingModels(loader)
                except SDK_ERRORS as error:
                    raise translate(error, CallContext("sts:GetCallerIdentity")) from error
            return self._shared

    def with_credentials(self, credentials: Any) -> Session:
        """Return a session that signs with `credentials` (refreshable or fixed) and shares the loader."""
        _, models = self._made()
        session = Session()
        session.register_component("data_loader", models.loader)
        session.register_component("credential_provider", CredentialResolver([_FixedProvider(credentials)]))
        return self._prepared(session)

    def with_keys(self, key: str, secret: str, token: str) -> Session:
        """Return a session with fixed temporary keys."""
        return self.with_credentials(Credentials(key, secret, token, method="finops"))

    def client(self, session: Session, service: str, region: str, config: Config) -> Any:
        """Create a client.

        Raises:
            AwsCredentialsInvalid: the chain finds nothing usable.
            AwsRejected: the configured endpoint is no address.
            Refused: demo mode and the endpoint is not on this machine.
        """
        context = CallContext(f"{service}:*", region=region)
        try:
            client = session.create_client(service, region_name=region, config=config)
        except SDK_ERRORS as error:
            raise translate(error, context) from error
        except ValueError as error:
            if str(error).startswith(_NO_ENDPOINT):
                raise invalid_endpoint("the SDK cannot read it", ENDPOINT_HINT, context) from None
            raise unusable(error, context) from error
        self._names[client.meta.service_model.service_id.hyphenize()] = service
        problem = endpoint_problem(client.meta.endpoint_url)
        if problem:
            raise invalid_endpoint(problem, ENDPOINT_HINT, context)
        if self._demo and not is_loopback(client.meta.endpoint_url):
            raise Refused(
                f"demo mode talks only to this machine, not to {client.meta.endpoint_url}",
                code="EndpointNotLoopback",
                hint="set AWS_ENDPOINT_URL to the sandbox, or unset FINOPS_DEMO",
            )
        return client

    def _prepared(self, session: Session) -> Session:
        # The endpoint that is not of a region stands in us-east-1, which an organization may have closed.
        session.set_config_variable("sts_regional_endpoints", "regional")
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=keep_text)
        session.register("before-send", self._handler)
        self.server_time.listen(session)
        session.register(GET_METRIC_DATA_EVENT, take_metric_points)
        return session


def is_loopback(url: str) -> bool:
    """Return whether `url` names this machine literally; no name is resolved except `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_config(*, timeout_seconds: float = 30.0) -> Config:
    """Return the client settings for reads; retries are ours (`reader.py`), so the SDK sends each request once."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=min(10.0, timeout_seconds),
        read_timeout=timeout_seconds,
        max_pool_connections=_POOL_CONNECTIONS,
        user_agent_extra="finops-operator",
    )


class BoundedCache:
    """A small thread-safe least-recently-used table whose values are made once, under one lock per key."""

    def __init__(self, size: int = _MAX_CLIENTS) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the value of `key`, made by `make` when absent; a failing `make` leaves nothing behind."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self._size:
                        self._values.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return value

    def drop(self, predicate: Callable[[Any], bool]) -> None:
        """Forget every entry whose key satisfies `predicate`."""
        with self._lock:
            for key in [key for key in self._values if predicate(key)]:
                del self._values[key]
