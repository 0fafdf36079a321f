"""Secrets and keys on moto's servers: a scan lists them with their price."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_secrets_are_listed_with_their_price_and_tags_and_one_that_is_marked_for_deletion_is_not(
    aws: AwsDouble, scanned: Scan
) -> None:
    secrets = aws.client("secretsmanager", role=MAKER)
    for name in ("shop/database", "shop/mail", "shop/old"):
        secrets.create_secret(Name=name, SecretString="x", Tags=[{"Key": "team", "Value": "shop"}])
    secrets.delete_secret(SecretId="shop/old", RecoveryWindowInDays=30)
    outcome = scanned("secretsmanager-secret")
    assert outcome.summary.gaps == ()
    found = {one["name"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == ["shop/database", "shop/mail"]
    assert (found["shop/mail"]["attributes"]["last_accessed"], found["shop/mail"]["monthlyCost"]) == ("", "0.40")
    assert found["shop/mail"]["tags"] == {"team": "shop"}


def test_keys_are_listed_and_a_last_use_that_cannot_be_read_is_a_gap(aws: AwsDouble, scanned: Scan) -> None:
    kms = aws.client("kms", role=MAKER)
    working = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "shop"}])["KeyMetadata"]["KeyId"]
    disabled = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=disabled)
    outcome = scanned("kms-key")
    # Moto does not have the operation: what is not answered is a gap, and no key counts as unused.
    assert [(gap.service, gap.operation) for gap in outcome.summary.gaps] == [("kms", "GetKeyLastUsage")]
    report = report_of(outcome)
    found = {one["id"]: one for one in report["resources"]}
    assert {name: (one["state"], one["monthlyCost"]) for name, one in found.items()} == {
        working: ("enabled", "1.00"),
        disabled: ("disabled", "1.00"),
    }
    assert found[working]["tags"] == {"team": "shop"}
    assert report["recommendations"] == []
