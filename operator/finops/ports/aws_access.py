"""How one AWS account is reached: plain values, so that only the composition knows the Kubernetes object.

Made from an AwsAccount object by the pipeline and by the executor; consumed by `finops_operator.aws`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAccess:
    """The roles of one account.

    Attributes:
        name: name of the AwsAccount object.
        account_id: 12 digits; every identity used must turn out to belong to it.
        scanner_role_arn: role for reading; empty: the process's own identity.
        executor_role_arn: role for acting; empty: nothing in this account can be changed.
        external_id: sent with every AssumeRole; empty: none.
        partition: `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
        home_region: where what an account has once is asked and filed, whichever policy asks.
        entry_region: where STS is asked, and which regions there are; empty: `home_region`.
    """

    name: str
    account_id: str
    scanner_role_arn: str = ""
    executor_role_arn: str = ""
    external_id: str = ""
    partition: str = "aws"
    home_region: str = "us-east-1"
    entry_region: str = ""

    @property
    def entry(self) -> str:
        """The region in which the account is entered."""
        return self.entry_region or self.home_region


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who asks: becomes the session tags `namespace` and `policy` of every role session."""

    namespace: str
    policy: str
