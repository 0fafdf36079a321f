"""Who the process is in AWS by its own credentials; asked by `finops scan` without a policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.ports.clock import Clock
from finops_operator.aws.assume import patiently
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.errors import CallContext
from finops_operator.aws.session import SdkSessions, read_config

HOME: Final = "us-east-1"
"""Where STS is asked when neither the SDK's configuration nor an account names a region."""


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """The caller: 12 digits of the account, ARN of the user or role, and the partition it is in."""

    account_id: str
    arn: str
    partition: str


def own_identity(clock: Clock, *, demo: bool = False) -> OwnIdentity:
    """Ask STS who we are, in the region of the SDK's own configuration.

    Raises:
        InvalidInput: the SDK's settings cannot be used.
        AwsError: there are no credentials, or STS does not answer.
        Refused: demo mode and an endpoint that is not on this machine.
    """
    sdk = SdkSessions(CallCounter(), demo=demo)
    sdk.check()
    region = own_region(sdk) or HOME
    sts = sdk.client(sdk.base, "sts", region, read_config(timeout_seconds=15))
    answer = patiently(sts.get_caller_identity, CallContext("sts:GetCallerIdentity", region=region), clock)
    arn = str(answer.get("Arn", ""))
    partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
    return OwnIdentity(str(answer.get("Account", "")), arn, partition)


def own_region(sdk: SdkSessions, environment: Mapping[str, str] = os.environ) -> str:
    """Return the region of the environment, else of the SDK's profile; empty where neither names one."""
    return region_of(environment) or str(sdk.base.get_config_variable("region") or "")


def region_of(environment: Mapping[str, str]) -> str:
    """Return the region that an environment names, empty where it names none.

    `AWS_REGION` first, as whatever runs in AWS has it: this SDK reads `AWS_DEFAULT_REGION` alone.
    """
    return environment.get("AWS_REGION", "") or environment.get("AWS_DEFAULT_REGION", "")
