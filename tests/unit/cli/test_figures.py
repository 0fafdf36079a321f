"""Names of the figures of `finops prices lookup --figure`: what each asks for, and what a wrong one is answered."""

from __future__ import annotations

import pytest

from finops.domain.price import PriceQuery
from finops.errors import InvalidInput
from finops_operator.cli.figures import figure_query
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.offers import all_offers, offer_of

OFFERS = all_offers(load_kinds().values())
BACKUP = (("volume_type", "backup"), ("deployment", "any"))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("nat-gateway/hour", PriceQuery("nat-gateway", "us-east-1", "hour")),
        ("ebs/snapshot_gb_month", PriceQuery("ebs", "us-east-1", "snapshot_gb_month")),
        ("ebs/gb_month/gp3", PriceQuery("ebs", "us-east-1", "gb_month", (("volume_type", "gp3"),))),
        ("kms/customer_key", PriceQuery("kms", "us-east-1", "customer_key")),
        ("kinesis/shard_hour", PriceQuery("kinesis", "us-east-1", "shard_hour")),
        ("rds/gb_month/backup/any", PriceQuery("rds", "us-east-1", "gb_month", BACKUP)),
        (
            "sagemaker/notebook_hour/ml.t3.medium",
            PriceQuery("sagemaker", "us-east-1", "notebook_hour", (("instance_type", "ml.t3.medium"),)),
        ),
    ],
)
def test_a_name_asks_for_one_product_of_the_tables_or_of_the_price_list(name: str, query: PriceQuery) -> None:
    assert figure_query("us-east-1", name, OFFERS) == query


def test_what_the_price_list_has_too_is_asked_there_by_the_same_name() -> None:
    assert offer_of(figure_query("us-east-1", "rds/gb_month/backup/any", OFFERS), OFFERS) is not None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lambda/gb_second", "lambda/x86_gb_second_tier1"),
        ("ebs/gb_month", "ebs/gb_month/VOLUME_TYPE"),
        ("ebs/gb_month/", "ebs/gb_month/VOLUME_TYPE"),
        ("nat-gateway/hour/more", "nat-gateway/hour"),
        ("lambd/request", "lambda/request"),
        ("", "ecr/storage_gb_month"),
    ],
)
def test_a_wrong_name_is_refused_with_those_that_there_are(name: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        figure_query("us-east-1", name, OFFERS)
    assert hint in caught.value.hint
    assert caught.value.field == "--figure"
