"""What a snapshot may be needed for: its volume, images, locks and fast restores. Read once for an account and region.

Called by the collector when there is a snapshot. A listing that cannot be read to its end proves nothing: what it would
have said is None, and the Gap stands with `OneByOne`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops_operator.plugins.one_by_one import OneByOne

_PAGE: Final[dict[str, Any]] = {"MaxResults": 1000}
_VOLUMES: Final = "ec2:DescribeVolumes"
_IMAGES: Final = "ec2:DescribeImages"
_RECYCLED: Final = "ec2:ListImagesInRecycleBin"
_LOCKED: Final = "ec2:DescribeLockedSnapshots"
_FAST: Final = "ec2:DescribeFastSnapshotRestores"
_OWN_IMAGES: Final[dict[str, Any]] = {"Owners": ["self"], "IncludeDisabled": True, **_PAGE}
_FAST_PAGE: Final[dict[str, Any]] = {"MaxResults": 200}
_EXPIRED: Final = "expired"
_ON: Final = frozenset({"enabling", "optimizing", "enabled"})
OPERATIONS: Final = (_VOLUMES, _IMAGES, _RECYCLED, _LOCKED, _FAST)


@dataclass(frozen=True, slots=True)
class Holders:
    """Ids of an account and region; None: they could not be read.

    Attributes:
        volumes: volumes that exist.
        images: the account's images, disabled ones and those of the recycle bin too.
        image_snapshots: snapshots that an image outside the recycle bin names.
        locked: snapshots whose lock has not expired.
        fast_restore_zones: snapshot → zones with fast restore.
    """

    volumes: frozenset[str] | None
    images: frozenset[str] | None
    image_snapshots: frozenset[str] | None
    locked: frozenset[str] | None
    fast_restore_zones: Mapping[str, int] | None

    def volume_exists(self, volume: str) -> bool | None:
        """Return whether a volume is still there, None when nobody knows."""
        return None if self.volumes is None or not volume else volume in self.volumes

    def image_exists(self, image: str) -> bool | None:
        """Return whether an image is still there or can be taken out of the recycle bin."""
        return None if self.images is None or not image else image in self.images

    def used_by_image(self, snapshot: str) -> bool | None:
        """Return whether an image starts instances from it."""
        return None if self.image_snapshots is None else snapshot in self.image_snapshots

    def is_locked(self, snapshot: str) -> bool | None:
        """Return whether a lock forbids its deletion."""
        return None if self.locked is None else snapshot in self.locked

    def zones_of(self, snapshot: str) -> int | None:
        """Return in how many zones it is kept ready for fast restores."""
        return None if self.fast_restore_zones is None else self.fast_restore_zones.get(snapshot, 0)


def read_holders(asking: OneByOne) -> Holders:
    """Return what holds snapshots in the account and region of `asking`, which keeps the gaps."""
    volumes: set[str] = set()
    images: set[str] = set()
    image_snapshots: set[str] = set()
    locked: set[str] = set()
    zones: Counter[str] = Counter()

    def take_volumes(page: Mapping[str, Any]) -> None:
        volumes.update(str(one["VolumeId"]) for one in page.get("Volumes", ()))

    def take_images(page: Mapping[str, Any]) -> None:
        for image in page.get("Images", ()):
            images.add(str(image["ImageId"]))
            image_snapshots.update(snapshots_of(image))

    def take_recycled(page: Mapping[str, Any]) -> None:
        images.update(str(one["ImageId"]) for one in page.get("Images", ()))

    def take_locked(page: Mapping[str, Any]) -> None:
        found = page.get("Snapshots", ())
        locked.update(str(one["SnapshotId"]) for one in found if one.get("LockState") != _EXPIRED)

    def take_fast(page: Mapping[str, Any]) -> None:
        found = page.get("FastSnapshotRestores", ())
        zones.update(str(one["SnapshotId"]) for one in found if one.get("State") in _ON)

    volumes_read = asking.each(_VOLUMES, _PAGE, take_volumes)
    images_read = asking.each(_IMAGES, _OWN_IMAGES, take_images)
    recycled_read = asking.each(_RECYCLED, _PAGE, take_recycled)
    locked_read = asking.each(_LOCKED, _PAGE, take_locked)
    fast_read = asking.each(_FAST, _FAST_PAGE, take_fast)
    return Holders(
        volumes=frozenset(volumes) if volumes_read else None,
        images=frozenset(images) if images_read and recycled_read else None,
        image_snapshots=frozenset(image_snapshots) if images_read else None,
        locked=frozenset(locked) if locked_read else None,
        fast_restore_zones=zones if fast_read else None,
    )


def snapshots_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the snapshots that an image starts instances from."""
    blocks = (block.get("Ebs") or {} for block in image.get("BlockDeviceMappings") or ())
    return tuple(str(ebs["SnapshotId"]) for ebs in blocks if ebs.get("SnapshotId"))
