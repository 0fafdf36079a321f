"""Repositories as collected: images counted over pages, policies, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.ecr.repositories import ARN, REPOSITORIES, repository

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.ecr.repository import KIND, RepositoryFacts

MODEL = botocore.session.get_session().get_service_model("ecr")
LIST, IMAGES, LIFECYCLE = "ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:GetLifecyclePolicy"
TAGS = "resourcegroupstaggingapi:GetResources"
NO_POLICY = AwsRejected("none", operation=LIFECYCLE, code="LifecyclePolicyNotFoundException")
DENIED = "AccessDeniedException"


def listed(**changes: Any) -> dict[str, Any]:
    return {"repositoryName": "shop/web", "repositoryArn": ARN, "createdAt": "1700000000.0", **changes}


def image(**changes: Any) -> dict[str, Any]:
    return {
        "imageDigest": "sha256:1",
        "imageTags": ["latest"],
        "imageSizeInBytes": 100,
        "imagePushedAt": "1767225600.0",
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
        "lastRecordedPullTime": "1769904000.0",
        **changes,
    }


def reader(*names: str, **answers: Any) -> Pages:
    pages = [
        {"imageDetails": [image(), image(imageTags=[], lastRecordedPullTime=None, imagePushedAt="1760000000.0")]},
        {"imageDetails": [image(imageTags=None, subjectManifestDigest="sha256:1")]},
    ]
    standard = {
        LIST: [{"repositories": [listed(repositoryName=name) for name in names or ("shop/web",)]}],
        IMAGES: pages,
        LIFECYCLE: [{"lifecyclePolicyText": '{"rules":[]}'}],
        TAGS: [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}],
    }
    return Pages({**standard, **answers})


def facts(pages: Pages) -> RepositoryFacts:
    one, *_ = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    return facts_of(RepositoryFacts, one)


def test_a_repository_carries_the_sums_of_its_images_over_all_pages() -> None:
    asked = reader()
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    own = facts_of(RepositoryFacts, one)
    assert (one.id, one.arn, one.tags, one.created is None) == ("shop/web", ARN, {"team": "shop"}, False)
    assert (own.images, own.image_bytes, own.untagged_images, own.untagged_bytes) == (3, 300, 1, 100)
    assert (own.pushed_last, own.pulled_last) == ("2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00")
    assert own.oldest_untagged == "2025-10-09T08:53:20+00:00"
    assert (own.lifecycle_policy, own.multi_platform_images, own.tags_known) == (True, 0, True)
    assert listed().keys() <= MODEL.shape_for("Repository").members.keys()
    assert image(subjectManifestDigest="").keys() <= MODEL.shape_for("ImageDetail").members.keys()
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_an_image_that_was_never_pulled_and_a_repository_without_images_are_known_as_such() -> None:
    never = facts(reader(**{IMAGES: [{"imageDetails": [image(lastRecordedPullTime=None)]}]}))
    assert (never.images, never.pulled_last) == (1, "")
    empty = facts(reader(**{IMAGES: [{"imageDetails": []}]}))
    assert (empty.images, empty.pushed_last, empty.oldest_untagged) == (0, "", "")


@pytest.mark.parametrize("kind", ["oci.image.index.v1", "docker.distribution.manifest.list.v2"])
def test_an_image_for_several_platforms_is_recognized(kind: str) -> None:
    index = image(imageManifestMediaType=f"application/vnd.{kind}+json")
    assert facts(reader(**{IMAGES: [{"imageDetails": [index]}]})).multi_platform_images == 1


def test_a_missing_policy_is_known_and_a_refused_question_is_not() -> None:
    assert facts(reader(**{LIFECYCLE: [NO_POLICY]})).lifecycle_policy is False
    denied = AwsDenied("no", operation=LIFECYCLE, code=DENIED)
    asked = reader("one", "two", **{LIFECYCLE: [denied]})
    *found, gap = KIND.listing.collect(asked, "aws")
    assert isinstance(gap, Gap)
    assert all(isinstance(one, Resource) and "lifecycle_policy" not in one.attributes for one in found)
    assert [operation for operation, _ in asked.asked].count(LIFECYCLE) == 1


def test_images_that_could_not_be_read_to_the_end_are_unknown_and_not_those_of_the_first_page() -> None:
    slow = AwsThrottled("slow down", operation=IMAGES, code="ThrottlingException")
    asked = reader(**{IMAGES: [{"imageDetails": [image()]}, slow]})
    one, gap = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert facts_of(RepositoryFacts, one).images is None


def test_a_refused_listing_is_a_gap() -> None:
    (gap,) = KIND.listing.collect(reader(**{LIST: [AwsDenied("no", operation=LIST, code=DENIED)]}), "aws")
    assert isinstance(gap, Gap)


def test_images_have_no_price_and_a_repository_without_any_costs_nothing() -> None:
    assert REPOSITORIES.cost(repository()).missing == ("gb_month: no price for images",)
    assert REPOSITORIES.cost(repository(images=None)).missing == ("gb_month: no price for images",)
    assert REPOSITORIES.cost(repository(images=0)).monthly == Decimal("0.00")


def test_an_owner_is_known_by_tags() -> None:
    owner = KIND.owner(replace(repository(), tags={"services.k8s.aws/namespace": "shop"}))
    assert owner is not None
    assert owner.system == "a Kubernetes cluster"
