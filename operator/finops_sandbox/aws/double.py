"""The double as one object: tests run it in their process, ``python -m finops_sandbox.aws`` in its own.

Moto keeps its state per process, so a process has at most one running double.
"""

import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.config

from finops_sandbox.aws.clock import SandboxClock
from finops_sandbox.aws.control import Control, ControlApi
from finops_sandbox.aws.estate import Estate, load_estate
from finops_sandbox.aws.faults import FaultBook
from finops_sandbox.aws.gateway import Gateway
from finops_sandbox.aws.identity import IdentityStore
from finops_sandbox.aws.live_estate import Delays, LiveEstate
from finops_sandbox.aws.record import CallLog, CallRecord
from finops_sandbox.aws.roles import BASE_USER_ARN, EXTERNAL_ID
from finops_sandbox.aws.seeding import seed
from finops_sandbox.aws.server import ServerThread

__all__ = ["AwsDouble", "Delays"]

_RUNNING = threading.Lock()
# Moto would otherwise import some thousand public images into every region.
_NO_IMAGES = ("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


class AwsDouble:
    """AWS on one port. Use as a context manager, or ``start`` and ``stop``.

    Args:
        estate: a path to YAML, a mapping, or None for two accounts without resources.
        host: address to listen on.
        port: port to listen on; 0 picks a free one.
        delays: how long AWS takes for state changes, snapshots and modifications.
    """

    def __init__(
        self,
        estate: Path | Mapping[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        delays: Delays | None = None,
    ) -> None:
        self._address = (host, port)
        self._document: Estate = load_estate(estate)
        self._log = CallLog()
        clock = SandboxClock()
        self.identities = IdentityStore(clock)
        self.estate = LiveEstate(clock, FaultBook(), delays or Delays())
        self.control = Control(self.estate, self._log, self._load)
        self._api = ControlApi(self.control, self.estate, self._log)
        self._gateway = Gateway(self.estate, self.identities, self._log)
        self._serving: ServerThread | None = None
        self._holds_process = False

    # ------------------------------------------------------------ life

    def start(self) -> Self:
        """Listen, then load the estate; the health call says 503 until it is loaded.

        Raises:
            RuntimeError: another double runs in this process.
            OSError: the address is taken.
        """
        if not _RUNNING.acquire(blocking=False):
            raise RuntimeError("an AWS double already runs in this process; moto keeps its state per process")
        self._holds_process = True
        loaded = False
        try:
            self._serving = ServerThread(self._address, self._gateway, self._api)
            os.environ[_NO_IMAGES[0]] = _NO_IMAGES[1]
            self._load()
            loaded = True
        finally:
            if not loaded:
                self.stop()
        return self

    def _load(self) -> None:
        self._api.ready = False
        self._log.clear()
        self.estate.clock.reset()
        seed(self._document, self.estate, self.identities)
        self._api.ready = True

    def stop(self) -> None:
        """Close the port and forget everything; harmless when not started."""
        serving, self._serving = self._serving, None
        self._api.ready = False
        if serving is not None:
            serving.stop()
        if self._holds_process:
            self._holds_process = False
            _RUNNING.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------ for tests

    @property
    def url(self) -> str:
        """Where it listens; clients use it as AWS_ENDPOINT_URL."""
        assert self._serving is not None, "the AWS double is not running"
        return self._serving.url

    @property
    def calls(self) -> list[CallRecord]:
        """Every changing call in order."""
        return self._log.since()

    @property
    def sessions(self) -> list[CallRecord]:
        """Every AssumeRole in order; ``parameters`` hold role, session policy, source identity and tags."""
        return self._log.sessions()

    @property
    def counts(self) -> Counter[str]:
        """Number of calls per ``service:Action``, reads included."""
        return self._log.counts()

    def environment(self, region: str = "us-east-1", user_arn: str = BASE_USER_ARN) -> dict[str, str]:
        """AWS variables for a subprocess that is the given user."""
        user = self.identities.user(user_arn)
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": user.access_key,
            "AWS_SECRET_ACCESS_KEY": user.secret_key,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(
        self,
        service: str,
        *,
        region: str = "us-east-1",
        role: str = "",
        user_arn: str = BASE_USER_ARN,
        attempts: int = 1,
        **assume: Any,
    ) -> Any:
        """A real SDK client, as the user or as a fresh session of a role.

        Args:
            service: ``ec2``, ``sts`` or ``cloudwatch``.
            region: where.
            role: ARN to assume first; the estate's external id and a session name are given unless overridden.
            user_arn: whose static key.
            attempts: the SDK's total attempts; one by default, so that a test sees every error.
            assume: further parameters of AssumeRole, for example ``Policy`` or ``SourceIdentity``.
        """
        config = botocore.config.Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, connect_timeout=5, read_timeout=20
        )
        user = self.identities.user(user_arn)
        keys = {"aws_access_key_id": user.access_key, "aws_secret_access_key": user.secret_key}
        if role:
            sts = boto3.client("sts", region_name=region, endpoint_url=self.url, config=config, **keys)
            request = {"RoleArn": role, "RoleSessionName": "test", "ExternalId": EXTERNAL_ID, **assume}
            made = sts.assume_role(**request)["Credentials"]
            sts.close()
            keys = {
                "aws_access_key_id": made["AccessKeyId"],
                "aws_secret_access_key": made["SecretAccessKey"],
                "aws_session_token": made["SessionToken"],
            }
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=config, **keys)
