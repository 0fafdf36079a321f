"""What a repository holds: its images counted page by page, and whether a lifecycle policy removes any.

Called by the kind. Layers that images share are stored once and counted with each of them here, so that the bytes are
an upper bound. The parts of an image for several platforms have no tag and are no waste; what belongs together is not
in the listing, so that it only says whether there is such an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops_operator.plugins.described import moment_of
from finops_operator.plugins.one_by_one import OneByOne

IMAGES: Final = "ecr:DescribeImages"
LIFECYCLE: Final = "ecr:GetLifecyclePolicy"
GONE: Final = frozenset({"RepositoryNotFoundException"})
_PAGE: Final = 1000
_NO_POLICY: Final = frozenset({"LifecyclePolicyNotFoundException"})
_INDEXES: Final = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
"""Media types of an image for several platforms."""


@dataclass(slots=True)
class Images:
    """The sums of one repository."""

    count: int = 0
    size: int = 0
    untagged: int = 0
    untagged_size: int = 0
    indexes: int = 0
    pushed: datetime | None = None
    pulled: datetime | None = None
    oldest_untagged: datetime | None = None

    def take(self, page: Mapping[str, Any]) -> None:
        """Add the images of one page."""
        for image in page.get("imageDetails", ()):
            self._add(image)

    def _add(self, image: Mapping[str, Any]) -> None:
        pushed, size = moment_of(image.get("imagePushedAt")), int(image.get("imageSizeInBytes") or 0)
        self.count += 1
        self.size += size
        self.indexes += image.get("imageManifestMediaType") in _INDEXES
        self.pushed = _later(self.pushed, pushed)
        self.pulled = _later(self.pulled, moment_of(image.get("lastRecordedPullTime")))
        # A signature or a bill of materials belongs to the image that it names, and has no tag of its own.
        if not image.get("imageTags") and not image.get("subjectManifestDigest"):
            self.untagged += 1
            self.untagged_size += size
            if pushed is not None:
                self.oldest_untagged = pushed if self.oldest_untagged is None else min(pushed, self.oldest_untagged)


def images_of(asking: OneByOne, repository: str) -> Images | None:
    """Return the sums of a repository, None when its images could not be read to the end."""
    found = Images()
    complete = asking.each(IMAGES, {"repositoryName": repository, "maxResults": _PAGE}, found.take)
    return found if complete else None


def has_lifecycle(asking: OneByOne, repository: str) -> bool | None:
    """Return whether a lifecycle policy removes images, None when that is not known."""
    answer = asking.answer(LIFECYCLE, {"repositoryName": repository}, _NO_POLICY)
    return None if answer is None else bool(answer.get("lifecyclePolicyText"))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else max(one, other)
