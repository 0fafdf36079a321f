"""Who names an image: instances, launch templates and launch configurations, and with whom it is shared.

Called by the collector. EC2 answers which instances and launch templates refer to images, ten images at a time and
every version of a template; launch configurations are read once. Parameters of Systems Manager, recipes and templates
of one's own are not read: that takes rights to values that may be secrets. What could not be read is None, and the
Gap stands with `OneByOne`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops_operator.plugins.one_by_one import OneByOne

REFERENCES: Final = "ec2:DescribeImageReferences"
CONFIGURATIONS: Final = "autoscaling:DescribeLaunchConfigurations"
ATTRIBUTE: Final = "ec2:DescribeImageAttribute"
PERMISSION: Final = "launchPermission"
_BATCH: Final = 10
_DEEPEST: Final = "10000"
"""Versions of a launch template from the newest on; by default AWS checks ten, and a group may use any."""
RESOURCE_TYPES: Final[tuple[dict[str, Any], ...]] = (
    {"ResourceType": "ec2:Instance"},
    {
        "ResourceType": "ec2:LaunchTemplate",
        "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": [_DEEPEST]}],
    },
)
_CONFIGURATION: Final = "autoscaling:LaunchConfiguration"
OPERATIONS: Final = (REFERENCES, CONFIGURATIONS, ATTRIBUTE)


class ImageUsers:
    """Asks about the images of one account and region."""

    def __init__(self, asking: OneByOne) -> None:
        self._asking = asking
        self._configured: frozenset[str] | None = None
        self._configured_asked = False

    def of(self, images: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return image → types of what names it, in order; an image about which this is not known is not there."""
        configured = self._in_configurations() if images else None
        if configured is None:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for first in range(0, len(images), _BATCH):
            batch = list(images[first : first + _BATCH])
            named = self._referring(batch)
            if named is not None:
                for image in batch:
                    configurations = {_CONFIGURATION} if image in configured else set()
                    found[image] = tuple(sorted(named.get(image, set()) | configurations))
        return found

    def _referring(self, images: list[str]) -> dict[str, set[str]] | None:
        """Return image → types of instances and templates that name it, None when that is not known."""
        types: dict[str, set[str]] = {}

        def take(page: Mapping[str, Any]) -> None:
            for reference in page.get("ImageReferences", ()):
                named = types.setdefault(str(reference.get("ImageId")), set())
                named.add(str(reference.get("ResourceType") or ""))

        asked = {"ImageIds": images, "ResourceTypes": list(RESOURCE_TYPES)}
        return types if self._asking.each(REFERENCES, asked, take) else None

    def is_shared(self, image: str) -> bool | None:
        """Return whether somebody else may launch it, None when that is not known."""
        answer = self._asking.answer(ATTRIBUTE, {"ImageId": image, "Attribute": PERMISSION})
        return None if answer is None else bool(answer.get("LaunchPermissions"))

    def _in_configurations(self) -> frozenset[str] | None:
        if not self._configured_asked:
            self._configured_asked = True
            images: set[str] = set()

            def take(page: Mapping[str, Any]) -> None:
                images.update(str(one.get("ImageId") or "") for one in page.get("LaunchConfigurations", ()))

            if self._asking.each(CONFIGURATIONS, {"MaxRecords": 100}, take):
                self._configured = frozenset(images)
        return self._configured
