"""AwsAccount: how to reach an account, and which namespaces may use it for what.

Administrators write it; the operator reads it when it scans, plans and acts, and writes its status.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from finops.crds.conditions import Conditions
from finops.crds.crd import AGE, MESSAGE, READY, REASON, Column, Crd
from finops.crds.part import Kind, Part
from finops.crds.policy_status import Generation
from finops.crds.rule import Distinct, Rule, pattern_rule
from finops.crds.values import AccountId, ActionId, Region, Time

_NAME = "[A-Za-z0-9_+=,.@-]"
RoleArn = Annotated[
    str,
    Field(max_length=256),
    pattern_rule(
        f"arn:aws(-us-gov|-cn|-eusc)?:iam::[0-9]{{12}}:role/({_NAME}+/)*{_NAME}{{1,64}}",
        "is not the ARN of an IAM role",
        "copy it from IAM, such as arn:aws:iam::123456789012:role/finops-scanner",
    ),
]
Namespace = Annotated[
    str,
    Field(max_length=63),
    pattern_rule("[a-z0-9]([a-z0-9-]*[a-z0-9])?", "is not the name of a namespace", "write one name, no patterns"),
]


class Partition(StrEnum):
    """The separate parts of AWS."""

    AWS = "aws"
    AWS_US_GOV = "aws-us-gov"
    AWS_CN = "aws-cn"
    AWS_EUSC = "aws-eusc"


class Grant(Part):
    """What some namespaces may do with an account."""

    namespaces: Annotated[tuple[Namespace, ...], Field(min_length=1, max_length=100), Distinct()] = Field(
        description="Names of the namespaces whose policies may scan the account."
    )
    actions: Annotated[tuple[ActionId, ...], Field(max_length=200), Distinct()] = Field(
        default=(), description="Ids of the actions those policies may carry out in it. Default: empty, scans only."
    )


def _role_rules(field: str, attribute: str) -> tuple[Rule, Rule]:
    def role(spec: AwsAccountSpec) -> str | None:
        return getattr(spec, attribute)  # type: ignore[no-any-return]  # both attributes are RoleArn | None

    def in_account(spec: AwsAccountSpec) -> bool:
        return role(spec) is None or f"::{spec.account_id}:" in str(role(spec))

    def in_partition(spec: AwsAccountSpec) -> bool:
        return role(spec) is None or str(role(spec)).startswith(f"arn:{spec.partition}:")

    return (
        Rule(
            f"!has(self.{field}) || self.{field}.contains('::' + self.accountId + ':')",
            "is a role of another account than accountId",
            "name a role of this account, or correct accountId",
            in_account,
            f".{field}",
        ),
        Rule(
            f"!has(self.{field}) || self.{field}.startsWith('arn:' + self.partition + ':')",
            "is a role of another partition than partition",
            "set partition to what stands after arn: in the role's ARN",
            in_partition,
            f".{field}",
        ),
    )


def _regions_fit(spec: AwsAccountSpec) -> bool:
    prefixes = {Partition.AWS_US_GOV: "us-gov-", Partition.AWS_CN: "cn-", Partition.AWS_EUSC: "eusc-"}
    if spec.partition in prefixes:
        return all(region.startswith(prefixes[spec.partition]) for region in spec.regions)
    return not any(region.startswith(tuple(prefixes.values())) for region in spec.regions)


class AwsAccountSpec(Part):
    """How to reach an account and who may use it."""

    account_id: AccountId = Field(
        description="The 12 digits; finding another identity at connection is an error. No default."
    )
    scanner_role_arn: RoleArn | None = Field(
        default=None, description="The role that reads. Default: absent, the operator's own identity."
    )
    executor_role_arn: RoleArn | None = Field(
        default=None, description="The role that acts. Default: absent, nothing in this account can be changed."
    )
    external_id: (
        Annotated[
            str,
            Field(min_length=2, max_length=1224),
            pattern_rule(
                "[A-Za-z0-9_+=,.@:/-]*", "has a character that STS refuses", "use letters, digits and _+=,.@:/- only"
            ),
        ]
        | None
    ) = Field(default=None, description="The external id both roles demand. Default: absent, none is sent.")
    partition: Partition = Field(
        default=Partition.AWS, description="The part of AWS: aws, aws-us-gov, aws-cn or aws-eusc. Default: aws."
    )
    regions: Annotated[tuple[Region, ...], Field(max_length=50), Distinct()] = Field(
        default=(), description="The regions that may be used. Default: empty, every region enabled in the account."
    )
    allow: Annotated[tuple[Grant, ...], Field(max_length=100)] = Field(
        default=(), description="Which namespaces may use the account for what. Default: empty, none may."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *_role_rules("scannerRoleArn", "scanner_role_arn"),
        *_role_rules("executorRoleArn", "executor_role_arn"),
        Rule(
            "!has(self.externalId) || has(self.scannerRoleArn) || has(self.executorRoleArn)",
            "is set while no role is named that could demand it",
            "name scannerRoleArn or executorRoleArn, or remove it",
            lambda spec: spec.external_id is None or bool(spec.scanner_role_arn or spec.executor_role_arn),
            ".externalId",
        ),
        Rule(
            "self.partition == 'aws-us-gov' ? self.regions.all(region, region.startsWith('us-gov-')) : "
            "self.partition == 'aws-cn' ? self.regions.all(region, region.startsWith('cn-')) : "
            "self.partition == 'aws-eusc' ? self.regions.all(region, region.startsWith('eusc-')) : "
            "!self.regions.exists(region, region.startsWith('us-gov-') || region.startsWith('cn-') || "
            "region.startsWith('eusc-'))",
            "names a region of another partition than partition",
            "us-gov- regions need partition aws-us-gov, cn- regions aws-cn, eusc- regions aws-eusc, all others aws",
            _regions_fit,
            ".regions",
        ),
    )

    def actions_for(self, namespace: str) -> frozenset[str] | None:
        """The actions a namespace may carry out, empty for scans only, None when it may not use the account."""
        grants = [grant for grant in self.allow if namespace in grant.namespaces]
        return frozenset(action for grant in grants for action in grant.actions) if grants else None


class Identity(Part):
    """Who the scanner turned out to be."""

    arn: str = Field(max_length=2048, description="ARN of the identity that reads.")
    account_id: AccountId = Field(description="The account that identity belongs to.")


class AwsAccountStatus(Part):
    """What the operator found when it connected."""

    observed_generation: Generation | None = Field(
        default=None, description="The generation of the spec this status is about."
    )
    conditions: Conditions = Field(default=(), description="Ready and CredentialsValid.")
    identity: Identity | None = Field(default=None, description="Who the scanner turned out to be.")
    last_checked: Time | None = Field(default=None, description="When the connection was last tried.")


class AwsAccount(Kind):
    """An AWS account and who may use it."""

    spec: AwsAccountSpec = Field(description="How to reach an account and who may use it.")
    status: AwsAccountStatus = Field(default_factory=AwsAccountStatus, description="What the operator found.")

    crd: ClassVar[Crd] = Crd(
        kind="AwsAccount",
        plural="awsaccounts",
        short="awsacc",
        scope="Cluster",
        description="How to reach an AWS account, and which namespaces may use it for what.",
        columns=(
            Column("Account", ".spec.accountId", "The account's 12 digits."),
            READY,
            REASON,
            Column("Last Checked", ".status.lastChecked", "Time since the connection was last tried.", "date"),
            AGE,
            Column("Scanner", ".spec.scannerRoleArn", "The role that reads.", wide=True),
            Column("Executor", ".spec.executorRoleArn", "The role that acts.", wide=True),
            MESSAGE,
        ),
        selectable=(".spec.accountId",),
    )
