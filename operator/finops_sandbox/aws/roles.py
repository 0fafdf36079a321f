"""The identities that an estate has unless it says otherwise: two users, and a scanner and an executor per account.

The base user is the operator's. The engineer is the person at the keyboard, who reads one account with keys of her own
and may become the two roles, so that `finops scan` and `finops doctor` can be tried. Least privilege as documented for
the product: the scanner reads, the executor does exactly the product's acts, and neither touches what is tagged
``finops.dev/protected``.
"""

from typing import Any

BASE_USER_ARN = "arn:aws:iam::111111111111:user/finops-operator"
BASE_ACCESS_KEY = "AKIASANDBOXOPERATOR1"
BASE_SECRET_KEY = "sandbox-operator-secret"
ENGINEER_ARN = "arn:aws:iam::111111111111:user/engineer"
ENGINEER_ACCESS_KEY = "AKIASANDBOXENGINEER1"
ENGINEER_SECRET_KEY = "sandbox-engineer-secret"
EXTERNAL_ID = "finops-sandbox"
SCANNER_ROLE = "finops-scanner"
EXECUTOR_ROLE = "finops-executor"
_VERSION = "2012-10-17"
_LAST = ("rds:DeleteDBInstance", "rds:CreateDBSnapshot")
_WAYS_BACK = frozenset(
    {
        "ec2:StartInstances",
        "ec2:ModifyInstanceAttribute",
        "logs:PutRetentionPolicy",
        "logs:DeleteRetentionPolicy",
        "rds:StartDBInstance",
        "rds:StartDBCluster",
        "rds:ModifyDBInstance",
        "dynamodb:UpdateTable",
        "ecs:UpdateService",
        "lambda:UpdateFunctionConfiguration",
        "s3:PutLifecycleConfiguration",
        "autoscaling:UpdateAutoScalingGroup",
        "eks:UpdateNodegroupConfig",
    }
)


_CACHES = ("elasticache:DeleteCacheCluster", "elasticache:DeleteReplicationGroup", "elasticache:CreateSnapshot")


def base_policy() -> dict[str, Any]:
    """The base identity may become one of the product's roles, nothing else."""
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                "Resource": "arn:aws:iam::*:role/finops-*",
            }
        ],
    }


def trust_policy(principals: list[str], external_id: str) -> dict[str, Any]:
    """Who may assume the role; with an external id only those who know it."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": _VERSION, "Statement": [statement]}


def scanner_policy() -> dict[str, Any]:
    """Reads of the resources that a scan lists and of their metrics."""
    actions = [
        "ec2:Describe*",
        "savingsplans:DescribeSavingsPlan*",
        "ec2:ListImagesInRecycleBin",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricStatistics",
    ]
    actions += ["autoscaling:Describe*", "elasticloadbalancing:Describe*"]
    actions += ["rds:Describe*", "elasticache:Describe*", "elasticfilesystem:Describe*", "redshift:Describe*"]
    actions += [
        f"{service}:{verb}*"
        for service in ("ecs", "eks", "es", "kafka", "kinesis", "sagemaker")
        for verb in ("Describe", "List")
    ]
    actions += ["tag:GetResources", "logs:Describe*", "lambda:List*", "lambda:GetFunctionConfiguration"]
    actions += ["logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery"]
    actions += ["s3:ListAllMyBuckets", "s3:GetBucketVersioning", "s3:GetLifecycleConfiguration"]
    actions += ["s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:GetMetricsConfiguration"]
    actions += ["secretsmanager:ListSecrets", "kms:ListKeys", "kms:DescribeKey", "kms:GetKeyLastUsage"]
    actions += ["servicequotas:GetServiceQuota", "servicequotas:ListServiceQuotas", "pricing:GetProducts"]
    actions += ["ce:GetReservationCoverage", "ce:GetSavingsPlansCoverage"]
    actions += ["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"]
    actions += [
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:GetLifecyclePolicy",
        "cloudwatch:DescribeAlarms*",
    ]
    actions += [
        "rbin:ListRules",
        "route53:List*",
        "workspaces:Describe*",
        "fsx:Describe*",
        "cloudfront:List*",
        "globalaccelerator:List*",
    ]
    actions += ["dynamodb:ListTables", "dynamodb:Describe*", "application-autoscaling:Describe*"]
    return {"Version": _VERSION, "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


def _further_acts(account: str) -> list[dict[str, Any]]:
    """The acts on what is neither instance nor volume: each call and its opposite, where there is one."""
    acts = {
        f"arn:aws:ec2:*:{account}:elastic-ip/*": ["ec2:ReleaseAddress"],
        f"arn:aws:ec2:*:{account}:natgateway/*": ["ec2:DeleteNatGateway"],
        "arn:aws:ec2:*::snapshot/*": ["ec2:DeleteSnapshot"],
        "arn:aws:ec2:*::image/*": ["ec2:DeregisterImage"],
        f"arn:aws:logs:*:{account}:log-group:*": ["logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"],
        f"arn:aws:dynamodb:*:{account}:table/*": ["dynamodb:UpdateTable"],
        f"arn:aws:rds:*:{account}:db:*": ["rds:StopDBInstance", "rds:StartDBInstance", "rds:ModifyDBInstance", *_LAST],
        f"arn:aws:rds:*:{account}:cluster:*": ["rds:StopDBCluster", "rds:StartDBCluster"],
        f"arn:aws:rds:*:{account}:snapshot:*": ["rds:DeleteDBSnapshot", "rds:CreateDBSnapshot"],
        f"arn:aws:rds:*:{account}:cluster-snapshot:*": ["rds:DeleteDBClusterSnapshot"],
        "arn:aws:s3:::*": ["s3:PutLifecycleConfiguration"],
        f"arn:aws:ecs:*:{account}:service/*": ["ecs:UpdateService"],
        f"arn:aws:lambda:*:{account}:function:*": ["lambda:UpdateFunctionConfiguration"],
        f"arn:aws:autoscaling:*:{account}:autoScalingGroup:*": ["autoscaling:UpdateAutoScalingGroup"],
        f"arn:aws:eks:*:{account}:nodegroup/*": ["eks:UpdateNodegroupConfig"],
        f"arn:aws:elasticache:*:{account}:cluster:*": ["elasticache:DeleteCacheCluster", "elasticache:CreateSnapshot"],
        f"arn:aws:elasticache:*:{account}:replicationgroup:*": [*_CACHES],
        f"arn:aws:elasticache:*:{account}:snapshot:*": [*_CACHES],
        f"arn:aws:es:*:{account}:domain/*": ["es:DeleteDomain"],
        f"arn:aws:elasticloadbalancing:*:{account}:loadbalancer/*": ["elasticloadbalancing:DeleteLoadBalancer"],
    }
    return [{"Effect": "Allow", "Action": calls, "Resource": arn} for arn, calls in acts.items()]


def _new_volumes(account: str) -> list[dict[str, Any]]:
    """A deleted volume is made again from its snapshot, with the key that it had."""
    volume, snapshot = f"arn:aws:ec2:*:{account}:volume/*", "arn:aws:ec2:*::snapshot/*"
    return [
        {"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": [volume, snapshot]},
        {
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": volume,
            "Condition": {"StringEquals": {"ec2:CreateAction": "CreateVolume"}},
        },
        {
            "Effect": "Allow",
            "Action": ["kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
            "Resource": f"arn:aws:kms:*:{account}:key/*",
            "Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
        },
    ]


def executor_policy(account: str) -> dict[str, Any]:
    """The acts, each on its own type of ARN."""
    instance, volume = f"arn:aws:ec2:*:{account}:instance/*", f"arn:aws:ec2:*:{account}:volume/*"
    snapshot = "arn:aws:ec2:*::snapshot/*"
    acts = ["ec2:StopInstances", "ec2:StartInstances", "ec2:ModifyInstanceAttribute"]
    acts += ["ec2:ModifyVolume", "ec2:DeleteVolume", "ec2:CreateSnapshot", "ec2:DetachVolume"]
    acts += [act for statement in _further_acts(account) for act in statement["Action"]]
    return {
        "Version": _VERSION,
        "Statement": [
            {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
            {"Effect": "Allow", "Action": ["ec2:StopInstances", "ec2:StartInstances"], "Resource": instance},
            {
                "Effect": "Allow",
                "Action": "ec2:ModifyInstanceAttribute",
                "Resource": instance,
                "Condition": {"StringEquals": {"ec2:Attribute": "InstanceType"}},
            },
            {"Effect": "Allow", "Action": ["ec2:ModifyVolume", "ec2:DeleteVolume"], "Resource": volume},
            {"Effect": "Allow", "Action": ["ec2:DetachVolume", "ec2:AttachVolume"], "Resource": [volume, instance]},
            {"Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": [volume, snapshot]},
            {
                "Effect": "Allow",
                "Action": "ec2:CreateTags",
                "Resource": snapshot,
                "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
            },
            *_new_volumes(account),
            {
                "Effect": "Allow",
                "Action": "kms:CreateGrant",
                "Resource": f"arn:aws:kms:*:{account}:key/*",
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
            *_further_acts(account),
            {
                # Starting and giving the type back stay allowed: whoever protects an instance in the middle of a
                # resize must not leave it stopped.
                "Effect": "Deny",
                "Action": [act for act in acts if act not in _WAYS_BACK],
                "Resource": "*",
                "Condition": {"Null": {"aws:ResourceTag/finops.dev/protected": "false"}},
            },
        ],
    }
