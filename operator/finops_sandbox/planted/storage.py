"""Planted storage: buckets, EFS, FSx, images in ECR, EBS volumes and snapshots, machine images.

Rules: Trusted Advisor, "Cost optimization" (lifecycle, incomplete uploads after seven days, versions); Compute
Optimizer, "Viewing idle resource recommendations" (volumes after 32 days); EBS user guide, "General Purpose SSD
volumes"; EFS user guide, "Managing storage lifecycle"; ECR user guide, "Lifecycle policies".
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from finops_sandbox.planted.site import Site, ago, pairs

_GIB: Final = 2**30
_RULE: Final = {"ID": "move", "Status": "Enabled", "Filter": {"Prefix": ""}}
_MOVES: Final = {**_RULE, "Transitions": [{"Days": 90, "StorageClass": "GLACIER_IR"}]}
_ABORTS: Final = {**_RULE, "ID": "abort", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
_OLD_GO: Final = {**_RULE, "ID": "old", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}


def bucket(
    site: Site, name: str, gib: float, *, rules: Any = (), versions: str = "", uploads: tuple[float, ...] = ()
) -> str:
    """List a bucket that stores so much in Standard; `uploads` are ages in days of unfinished ones."""
    # The names of buckets are shared by the whole world.
    name = f"{name}-{site.account}"
    item = {"Name": name, "CreationDate": ago(500), "BucketRegion": site.region, "BucketArn": f"arn:aws:s3:::{name}"}
    site.listed("s3:ListBuckets", item)
    of = {"Bucket": name}
    if rules:
        site.answered("s3:GetBucketLifecycleConfiguration", of, Rules=list(rules))
    else:
        site.refused("s3:GetBucketLifecycleConfiguration", of, "NoSuchLifecycleConfiguration", 404)
    site.answered("s3:GetBucketVersioning", of, **({"Status": versions} if versions else {}))
    parts = [{"Key": f"part-{age}", "UploadId": f"up-{age}", "Initiated": ago(age)} for age in uploads]
    site.answered("s3:ListMultipartUploads", of, Bucket=name, IsTruncated=False, Uploads=parts)
    for one in parts:
        named = {"Key": one["Key"], "UploadId": one["UploadId"]}
        held = [{"PartNumber": number, "Size": 5 * _GIB} for number in (1, 2)]
        site.answered("s3:ListParts", {**of, **named}, Bucket=name, **named, IsTruncated=False, Parts=held)
    site.answered("s3:ListBucketMetricsConfigurations", of, IsTruncated=False, MetricsConfigurationList=[])
    # One average a day: what a series of a constant gives for every period.
    dimensions = {"BucketName": name, "StorageType": "StandardStorage"}
    if gib:
        site.measured("AWS/S3", dimensions, 400, BucketSizeBytes=gib * _GIB)
        site.measured("AWS/S3", {**dimensions, "StorageType": "AllStorageTypes"}, 400, NumberOfObjects=10_000)
    return name


def buckets(site: Site) -> None:
    """S3."""
    site.wasted(bucket(site, "logs-for-ever", 2000), "2,000 GiB and no lifecycle", s3_bucket_no_lifecycle=None)
    site.kept(bucket(site, "small-things", 2), "2 GiB are not worth a rule")
    site.kept(bucket(site, "empty-bucket", 0), "holds nothing")
    site.kept(bucket(site, "tiered", 2000, rules=[_MOVES, _ABORTS]), "has its rules")
    left = bucket(site, "unfinished", 500, rules=[_MOVES], uploads=(40, 9))
    # 20 GiB at 0.023 USD.
    site.wasted(left, "uploads of 40 and 9 days ago were never finished", s3_bucket_incomplete_uploads="0.46")
    site.kept(bucket(site, "uploading", 500, rules=[_MOVES], uploads=(2,)), "an upload of two days ago may go on")
    site.kept(bucket(site, "aborting", 500, rules=[_MOVES, _ABORTS], uploads=(8,)), "a rule aborts them")
    for name, requests, checks, why in (
        ("counted-idle", 0, {"s3_bucket_idle": None}, "requests are counted, and there was none in 90 days"),
        ("counted-rare", "seldom_published", {}, "a request a week"),
    ):
        counted = bucket(site, name, 500, rules=[_MOVES, _ABORTS])
        site.exact[-1]["answer"]["MetricsConfigurationList"] = [{"Id": "EntireBucket"}]
        values = dict.fromkeys(("AllRequests", "GetRequests", "PutRequests", "HeadRequests", "ListRequests"), requests)
        site.measured("AWS/S3", {"BucketName": counted, "FilterId": "EntireBucket"}, 400, **values)
        site.wasted(counted, why, **dict(checks))
    kept = bucket(site, "all-versions", 800, rules=[_MOVES, _ABORTS], versions="Enabled")
    site.wasted(kept, "versions are never removed", s3_bucket_versions_kept=None)
    paused = bucket(site, "suspended-versions", 800, rules=[_MOVES, _ABORTS], versions="Suspended")
    site.wasted(paused, "what was kept before stays", s3_bucket_versions_kept=None)
    ends = bucket(site, "versions-with-end", 800, rules=[_MOVES, _ABORTS, _OLD_GO], versions="Enabled")
    site.kept(ends, "old versions go after 30 days")


def _efs(
    site: Site, name: str, gib: float, *, targets: int = 2, days: int = 400, rule: bool = True, use: Any = 50
) -> str:
    name = f"fs-{name}"
    item = {
        "OwnerId": site.account,
        "CreationToken": name,
        "FileSystemId": name,
        "FileSystemArn": site.arn("elasticfilesystem", f"file-system/{name}"),
        "CreationTime": ago(days),
        "LifeCycleState": "available",
        "NumberOfMountTargets": targets,
        "SizeInBytes": {"Value": int(gib * _GIB), "ValueInIA": 0, "ValueInStandard": int(gib * _GIB)},
        "PerformanceMode": "generalPurpose",
        "ThroughputMode": "bursting",
        "Tags": [],
    }
    site.listed("efs:DescribeFileSystems", item)
    policies = [{"TransitionToIA": "AFTER_30_DAYS"}] if rule else []
    site.answered("efs:DescribeLifecycleConfiguration", {"FileSystemId": name}, LifecyclePolicies=policies)
    site.measured("AWS/EFS", {"FileSystemId": name}, days, ClientConnections=use, MeteredIOBytes=use)
    return name


def _fsx(
    site: Site, name: str, gib: int, *, throughput: int = 64, use: Any = 100, peak: float = 60, free: float = 0.3
) -> str:
    name = f"fs-{name}"
    windows = {"ThroughputCapacity": throughput, "DeploymentType": "SINGLE_AZ_2"}
    item = {
        "FileSystemId": name,
        "ResourceARN": site.arn("fsx", f"file-system/{name}"),
        "OwnerId": site.account,
        "CreationTime": ago(400),
        "FileSystemType": "WINDOWS",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": gib,
        "StorageType": "SSD",
        "WindowsConfiguration": windows,
        "Tags": [],
    }
    site.listed("fsx:DescribeFileSystems", item)
    operations = {"DataReadOperations": use, "DataWriteOperations": use}
    levels = {"NetworkThroughputUtilization": peak, "FreeStorageCapacity": free * gib * _GIB}
    site.measured("AWS/FSx", {"FileSystemId": name}, 400, **operations, **levels)
    return name


def file_systems(site: Site) -> None:
    """EFS and FSx."""
    efs = partial(_efs, site)
    fsx = partial(_fsx, site)

    # 200 GiB at 0.30 USD.
    idle = efs("01d1e0000000000a1", 200, use="never")
    site.wasted(idle, "no connection in a month", efs_file_system_idle="60.00")
    site.kept(efs("01d1e0000000000a2", 200, use="seldom"), "a client connected once a week")
    unmounted = efs("0a0000000000000b1", 50, targets=0, use="never")
    site.wasted(unmounted, "no mount target", efs_file_system_unmounted="15.00")
    site.kept(efs("0a0000000000000b2", 50, targets=0, days=3, use="never"), "made three days ago")
    flat = efs("0c0000000000000c1", 700, rule=False)
    site.wasted(flat, "700 GiB and no lifecycle", efs_file_system_no_lifecycle=None)
    site.kept(efs("0c0000000000000c2", 10, rule=False), "10 GiB are not worth a rule")

    quiet = fsx("0f000000000000d01", 300, use=0)
    site.wasted(quiet, "not an operation in a month", fsx_file_system_idle=None)
    site.kept(fsx("0f000000000000d02", 300, use="seldom"), "an operation a week")
    fast = fsx("0f000000000000d03", 300, throughput=512, peak=10)
    site.wasted(fast, "10 % of its throughput at the peak", fsx_file_system_throughput=None)
    site.kept(fsx("0f000000000000d04", 300, throughput=512, peak=40), "half of it would be full")
    wide = fsx("0f000000000000d05", 4000, free=0.9)
    site.wasted(wide, "nine tenths of 4,000 GiB are free", fsx_file_system_storage=None)
    site.kept(fsx("0f000000000000d06", 4000, free=0.5), "half of it is used")


def repositories(site: Site) -> None:
    """ECR."""

    def repository(name: str, images: list[dict[str, Any]], *, rule: bool = True) -> str:
        item = {
            "repositoryArn": site.arn("ecr", f"repository/{name}"),
            "registryId": site.account,
            "repositoryName": name,
            "repositoryUri": f"{site.account}.dkr.ecr.{site.region}.amazonaws.com/{name}",
            "createdAt": ago(500),
        }
        site.listed("ecr:DescribeRepositories", item)
        of = {"repositoryName": name}
        site.answered("ecr:DescribeImages", of, imageDetails=images)
        if rule:
            site.answered("ecr:GetLifecyclePolicy", of, repositoryName=name, lifecyclePolicyText='{"rules":[]}')
        else:
            site.refused("ecr:GetLifecyclePolicy", of, "LifecyclePolicyNotFoundException")
        return name

    def image(number: int, pushed: float, pulled: float | None, *, tag: str = "v") -> dict[str, Any]:
        made = {
            "imageDigest": f"sha256:{number:064x}",
            "imageSizeInBytes": 800_000_000,
            "imagePushedAt": ago(pushed),
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
        }
        pull = {} if pulled is None else {"lastRecordedPullTime": ago(pulled)}
        return {**made, **pull, **({"imageTags": [f"{tag}{number}"]} if tag else {})}

    old = [image(number, 300, 200) for number in range(4)]
    site.wasted(repository("unused", old), "neither pulled nor pushed for 200 days", ecr_repository_unused=None)
    site.kept(repository("pulled", [*old, image(9, 300, 20)]), "pulled three weeks ago")
    site.kept(repository("pushed", [*old, image(9, 2, None)]), "pushed the day before yesterday")
    many = [image(number, 30 + number, 1) for number in range(20)]
    heavy = repository("keeps-all", many, rule=False)
    site.wasted(heavy, "16 GB and no lifecycle policy", ecr_repository_no_lifecycle=None)
    site.kept(repository("small", many[:2], rule=False), "two images are not worth a policy")
    bare = [image(number, 90, 1, tag="") for number in range(30)]
    site.wasted(repository("untagged", [*many[:1], *bare]), "30 untagged", ecr_repository_untagged_images=None)
    site.kept(repository("few-untagged", [*many[:1], *bare[:3]]), "three untagged")


def volumes(site: Site) -> None:
    """EBS volumes; ids are those that the double makes of names."""
    # A snapshot is kept of what is deleted: 100 GiB at 0.08 USD without 100 GiB at 0.05.
    busy = {"type": "m6g.large", "architecture": "arm64", "cpu": "steady", "network": "normal"}

    def attached(name: str, why: str, volume: dict[str, Any], /, checks: dict[str, str | None], **load: Any) -> None:
        site.load("instances", name=name, volumes=[{}, volume], **{**busy, **load})
        site.wasted(site.made("volume", f"{name}/1"), why, **checks)

    def alone(name: str, why: str, /, checks: dict[str, str | None], **volume: Any) -> None:
        site.load("volumes", name=name, **volume)
        site.wasted(site.made("volume", name), why, **checks)

    alone(
        "vol-left",
        "on no instance for 60 days",
        {"ebs_volume_unattached": "3.00"},
        size=100,
        detached="60d",
        age="200d",
    )
    alone("vol-20-days", "on no instance for 20 days only", {}, size=100, detached="20d", age="200d")
    alone("vol-new", "made ten days ago", {}, size=100, age="10d")
    attached("with-gp2", "gp2", {"type": "gp2", "size": 100}, {"ebs_volume_gp2": "2.00"})
    attached("with-gp3", "gp3 in use", {"type": "gp3", "size": 100}, {})
    attached(
        "with-idle", "not read or written in 60 days", {"size": 100, "ops": "ops_idle"}, {"ebs_volume_idle": "3.00"}
    )
    attached("with-rare", "a handful of operations", {"size": 100, "ops": "ops_rare"}, {})
    # 3,000 IOPS above those of the price at 0.005 USD; the busiest minutes need fewer than 3,000.
    much = {"size": 500, "iops": 6000}
    attached("with-iops", "6,000 IOPS where 150 are used", much, {"ebs_volume_overprovisioned": "15.00"})
    io1 = {"type": "io1", "size": 100, "iops": 2000}
    # 150 operations a second at 0.05 USD a million; gp3 has them in its price.
    old = {"type": "standard", "size": 100}
    attached("with-magnetic", "busy, where gp3 has its operations in the price", old, {"ebs_volume_magnetic": None})
    attached("with-quiet-magnetic", "magnetic and quiet: cheaper than gp3", {**old, "ops": "ops_rare"}, {})
    attached("with-io1", "gp3 gives the same", io1, {"ebs_volume_io1": None, "ebs_volume_overprovisioned": None})


def _snapshot(site: Site, number: int, volume: str, days: float, **facts: Any) -> str:
    name = f"snap-0{site.unique(number)}"
    item = {
        "SnapshotId": name,
        "VolumeId": volume,
        "VolumeSize": 100,
        "StartTime": ago(days),
        "State": "completed",
        "Progress": "100%",
        "OwnerId": site.account,
        "Description": "",
        "StorageTier": "standard",
        "FullSnapshotSizeInBytes": 60 * _GIB,
        "Encrypted": False,
        "Tags": [],
    }
    by = {"SnapshotIds": "SnapshotId"}
    site.listed("ec2:DescribeSnapshots", {**item, **facts}, by=by)
    site.answered("ec2:DescribeSnapshotAttribute", {"SnapshotId": name}, SnapshotId=name, CreateVolumePermissions=[])
    return name


def _image(site: Site, number: int, of: str, days: float, **facts: Any) -> str:
    name = f"ami-0{site.unique(number)}"
    item = {
        "ImageId": name,
        "Name": f"image {number}",
        "OwnerId": site.account,
        "State": "available",
        "CreationDate": ago(days).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Public": False,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": of, "VolumeSize": 100}}],
        "Tags": [],
    }
    site.listed("ec2:DescribeImages", {**item, **facts}, by={"ImageIds": "ImageId"})
    site.answered("ec2:DescribeImageAttribute", {"ImageId": name}, ImageId=name, LaunchPermissions=[])
    return name


def copies(site: Site) -> None:
    """EBS snapshots and machine images."""
    snapshot = partial(_snapshot, site)
    image = partial(_image, site)
    used = site.made("volume", "with-gp3/1")

    gone = "vol-0dead0000000000aa"
    site.wasted(snapshot(1, gone, 200), "its volume is gone", ebs_snapshot_orphaned=None)
    site.kept(snapshot(2, "vol-0dead0000000000bb", 20), "its volume is gone for three weeks only")
    site.wasted(snapshot(3, used, 200), "200 days old, and there is a newer one", ebs_snapshot_old=None)
    site.kept(snapshot(4, used, 3), "the newest of its volume")
    site.kept(snapshot(5, used, 80), "80 days old")
    backup = {"aws:backup:source-resource": used}
    site.kept(snapshot(6, "vol-0dead0000000000cc", 200, Tags=pairs(backup)), "AWS Backup keeps it")
    site.kept(snapshot(7, "vol-0dead0000000000dd", 200), "an image uses it")

    launched = {"LastLaunchedTime": ago(10).strftime("%Y-%m-%dT%H:%M:%SZ")}
    site.kept(image(1, f"snap-0{site.unique(7)}", 400, **launched), "launched ten days ago")
    unused = image(2, snapshot(8, "vol-0dead0000000000ee", 400), 400)
    site.wasted(unused, "made 400 days ago and never launched since", ami_unused=None)
    site.kept(image(3, snapshot(9, "vol-0dead0000000000ff", 30), 30), "made 30 days ago")
    guarded = image(
        4, snapshot(10, "vol-0dead000000000011", 400), 400, DeregistrationProtection="enabled-with-cooldown"
    )
    site.kept(guarded, "protected from deregistration")
    recovery = image(5, snapshot(11, "vol-0dead000000000022", 400), 400, Tags=pairs(backup))
    site.kept(recovery, "a recovery point of AWS Backup")
    for operation, member in (
        ("ec2:DescribeLockedSnapshots", "Snapshots"),
        ("ec2:DescribeFastSnapshotRestores", "FastSnapshotRestores"),
        ("ec2:ListImagesInRecycleBin", "Images"),
        ("ec2:DescribeLaunchTemplateVersions", "LaunchTemplateVersions"),
        ("ec2:DescribeImageReferences", "ImageReferences"),
        ("autoscaling:DescribeLaunchConfigurations", "LaunchConfigurations"),
    ):
        site.answered(operation, {}, **{member: []})
