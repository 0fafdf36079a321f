"""Credentials of a person who may read one account: a session of the double's scanner role."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.session import Session


def reading_credentials(environment: Mapping[str, str], account: str) -> dict[str, str]:
    """Return the variables of a shell that may scan `account` of the double behind `environment`."""
    sts = Session().create_client(
        "sts",
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    answer = sts.assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/finops-scanner",
        RoleSessionName="ann",
        ExternalId="finops-sandbox",
        Tags=[{"Key": "namespace", "Value": "default"}, {"Key": "policy", "Value": "own"}],
    )
    made = answer["Credentials"]
    return {
        **environment,
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
