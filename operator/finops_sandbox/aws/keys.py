"""Customer keys of an estate's volumes, put into moto's KMS so that AWS knows them."""

from typing import Any

from finops_sandbox.aws.estate import Place


def seed(place: Place, arn: str) -> None:
    """Make the key of an ARN unless it is there; one of another account or region is not this place's to make."""
    from moto.kms.models import Key, kms_backends  # noqa: PLC0415 - moto loads slowly

    _, _, _, region, account, name = arn.split(":", 5)
    keys = kms_backends[place.account][place.region].keys
    key_id = name.removeprefix("key/")
    if (account, region) != (place.account, place.region) or key_id in keys:
        return
    make: Any = Key
    key = make(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "volumes", account, region)
    key.id, key.arn = key_id, arn
    keys[key_id] = key
