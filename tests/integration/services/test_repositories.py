"""ECR repositories on moto's servers: a scan lists them with their images and policies."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 10, "digest": "sha256:1"},
    "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 990, "digest": "sha256:2"}],
}


def test_repositories_are_listed_with_their_images_and_policies(aws: AwsDouble, scanned: Scan) -> None:
    ecr = aws.client("ecr", role=MAKER)
    for name in ("shop/web", "shop/old"):
        ecr.create_repository(repositoryName=name)
    ecr.put_image(repositoryName="shop/web", imageManifest=json.dumps(MANIFEST), imageTag="latest")
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
        "action": {"type": "expire"},
    }
    ecr.put_lifecycle_policy(repositoryName="shop/web", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    outcome = scanned("ecr-repository")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == ["shop/old", "shop/web"]
    web, old = found["shop/web"], found["shop/old"]
    assert (web["attributes"]["images"], web["attributes"]["lifecycle_policy"], web["monthlyCost"]) == (1, True, None)
    assert (old["attributes"]["images"], old["attributes"]["lifecycle_policy"], old["monthlyCost"]) == (
        0,
        False,
        "0.00",
    )
