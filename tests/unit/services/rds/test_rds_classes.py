"""What a class offers: the EC2 type of its name, compared with RDS's own table, and connections by default."""

from __future__ import annotations

import csv
import lzma
from pathlib import Path

import pytest

from finops_operator.services.rds.rules.classes import (
    allowed_connections,
    class_name,
    class_type,
    smaller_types,
    sustained_vcpus,
)

TABLE = Path(__file__).parents[4] / "data" / "aws-prices" / "rds_classes.csv.xz"
RETIRED = ("db.m1.", "db.m2.", "db.r3.", "db.t1.")
"""Families whose memory RDS rounds otherwise."""


def test_every_class_of_the_table_has_the_vcpus_and_memory_of_the_type_of_its_name() -> None:
    with lzma.open(TABLE, "rt") as lines:
        rows = {row["class"]: (int(row["vcpu"]), float(row["memory_gib"]) * 1024) for row in csv.DictReader(lines)}
    current = {name: row for name, row in rows.items() if not name.startswith(RETIRED)}
    known = {name: (kind.vcpus, kind.memory_mib) for name in current if (kind := class_type(name)) is not None}
    assert {name for name in current if name not in known} == {name for name in current if ".x2g." in name}
    assert known == {name: row for name, row in current.items() if name in known}
    assert len(known) > 190


def test_sizes_are_named_from_the_next_one_down() -> None:
    large = class_type("db.m5.2xlarge")
    assert large is not None
    assert [class_name(one) for one in smaller_types(large)] == ["db.m5.xlarge", "db.m5.large"]
    micro = class_type("db.t3.micro")
    assert micro is not None
    assert smaller_types(micro) == ()  # RDS has no db.t3.nano


@pytest.mark.parametrize("name", ["m5.large", "db.x2g.large", "db.r5.large.tpc1.mem2x", "db.serverless"])
def test_a_class_without_a_type_of_its_name_is_not_known(name: str) -> None:
    assert class_type(name) is None


def test_a_burstable_class_gives_its_baseline_for_ever() -> None:
    burstable, fixed = class_type("db.t3.large"), class_type("db.m5.large")
    assert burstable is not None
    assert fixed is not None
    assert (sustained_vcpus(burstable), sustained_vcpus(fixed)) == (0.6, 2.0)


@pytest.mark.parametrize(
    ("engine", "allowed"), [("mysql", 682), ("postgres", 901), ("oracle-se2", 870), ("sqlserver-se", None)]
)
def test_connections_by_default_depend_on_engine_and_memory(engine: str, allowed: int | None) -> None:
    large = class_type("db.m5.large")
    assert large is not None
    assert allowed_connections(engine, large) == allowed


def test_more_connections_than_the_most_are_never_allowed() -> None:
    huge = class_type("db.r5.24xlarge")
    assert huge is not None
    assert allowed_connections("postgres", huge) == 5000
