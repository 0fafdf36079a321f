"""Signs of an owner that only resources of EC2 carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(("aws:ec2:fleet-id",), "an EC2 Fleet", instead_of_stop="Lower its target capacity."),
    Sign(("aws:ec2spot:fleet-request-id",), "a Spot Fleet", instead_of_stop="Lower its target capacity."),
    Sign(
        ("CSIVolumeSnapshotName",),
        "a Kubernetes cluster",
        "Delete the VolumeSnapshot that it was made for.",
        ("CSIVolumeSnapshotName",),
    ),
    Sign(
        ("ebs.csi.aws.com/", "CSIVolumeName"),
        "a Kubernetes cluster",
        "Change or delete the PersistentVolumeClaim or the StorageClass.",
    ),
    Sign(("aws:cloud9:",), "AWS Cloud9", "Change its environment, which stops by itself when it is not used."),
    Sign(("aws:servicecatalog:",), "Service Catalog", "Update the provisioned product."),
    Sign(("Ec2ImageBuilderArn",), "EC2 Image Builder", "Change the lifecycle policy of its pipeline."),
    Sign(("AWSElasticDisasterRecovery",), "Elastic Disaster Recovery", "Change the settings of its source server."),
    Sign(("AWSApplicationMigrationService",), "Application Migration Service", "Change its source server there."),
)
