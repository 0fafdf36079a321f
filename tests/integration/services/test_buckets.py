"""Buckets on moto's servers: a scan lists those of each region, with settings and tags, and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_buckets_are_listed_with_settings_and_tags_and_unfinished_uploads_are_counted(
    aws: AwsDouble, scanned: Scan
) -> None:
    s3 = aws.client("s3", role=MAKER)
    for name in ("plain", "kept"):
        s3.create_bucket(Bucket=f"finops-{name}")
        s3.put_bucket_tagging(Bucket=f"finops-{name}", Tagging={"TagSet": [{"Key": "team", "Value": name}]})
    s3.put_bucket_versioning(Bucket="finops-kept", VersioningConfiguration={"Status": "Enabled"})
    abort = {
        "ID": "abort",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    s3.put_bucket_lifecycle_configuration(Bucket="finops-kept", LifecycleConfiguration={"Rules": [abort]})
    began = s3.create_multipart_upload(Bucket="finops-plain", Key="half")
    s3.upload_part(Bucket="finops-plain", Key="half", UploadId=began["UploadId"], PartNumber=1, Body=b"12345")
    outcome = scanned("s3-bucket")
    assert [(gap.operation, gap.code) for gap in outcome.summary.gaps] == []
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["tags"] for name, one in found.items()} == {
        "finops-plain": {"team": "plain"},
        "finops-kept": {"team": "kept"},
    }
    plain, kept = found["finops-plain"]["attributes"], found["finops-kept"]["attributes"]
    assert (plain["versioning"], plain["lifecycle_rules"], plain["incomplete_uploads"]) == ("", 0, 1)
    (size,) = plain["upload_sizes"]
    assert size.startswith("5 STANDARD ")
    assert (kept["versioning"], kept["lifecycle_rules"], kept["aborts_uploads_days"]) == ("Enabled", 1, 7)
    assert kept["expires_noncurrent"] is False
    # Made a moment ago: S3 publishes what a bucket stores a day or two later.
    assert found["finops-plain"]["monthlyCost"] is None
    assert "TooNew" in found["finops-plain"]["priceMissing"][0]
