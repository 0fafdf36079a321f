"""When AWS's standard support of a version ends: asked of AWS, by major version, and only for who pays after it."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.rds.databases import database

from finops.domain.utilization import Utilization
from finops_operator.services.rds.rules.lifecycles import ENROLLED, OPERATION, QUESTION, major_version

MODEL = botocore.session.get_session().get_service_model("rds")


@pytest.mark.parametrize(
    ("engine", "version", "major"),
    [
        ("mysql", "5.7.44-rds.20240408", "5.7"),
        ("mysql", "8.0.36", "8.0"),
        ("mariadb", "10.6.16", "10.6"),
        ("postgres", "13.14", "13"),
        ("postgres", "9.6.24", "9.6"),
        ("aurora-postgresql", "11.21", "11"),
        ("aurora-mysql", "5.7.mysql_aurora.2.11.3", "5.7"),
        ("oracle-ee", "19.0.0.0", ""),
        ("docdb", "5.0.0", ""),
    ],
)
def test_the_lifecycle_is_that_of_the_major_version(engine: str, version: str, major: str) -> None:
    assert major_version(engine, version) == major


def test_aws_is_asked_for_the_end_of_standard_support_of_every_version() -> None:
    reader = Pages(
        {
            OPERATION: [
                {
                    "DBMajorEngineVersions": [
                        {
                            "Engine": "mysql",
                            "MajorEngineVersion": "5.7",
                            "SupportedEngineLifecycles": [
                                {
                                    "LifecycleSupportName": "open-source-rds-extended-support",
                                    "LifecycleSupportEndDate": "2027-02-28T23:59:59.999Z",
                                },
                                {
                                    "LifecycleSupportName": "open-source-rds-standard-support",
                                    "LifecycleSupportEndDate": "2024-02-29T23:59:59.999Z",
                                },
                            ],
                        },
                        {"Engine": "mysql", "MajorEngineVersion": "9.9", "SupportedEngineLifecycles": []},
                    ]
                }
            ]
        }
    )
    assert {place: list(days) for place, days in QUESTION.ask(reader).items()} == {"mysql 5.7": ["2024-02-29"]}
    ((operation, parameters),) = reader.asked
    shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
    assert not ParamValidator().validate(parameters, shape).has_errors()
    assert ENROLLED in MODEL.shape_for("LifecycleSupportName").enum


def test_the_question_is_asked_only_for_a_database_that_would_be_billed_more() -> None:
    enrolled = database(engine="mysql", engine_version="5.7.44", engine_lifecycle_support=ENROLLED)
    assert QUESTION.place(enrolled) == "mysql 5.7"
    assert QUESTION.needed(enrolled, Utilization("orders"))
    other = database(engine_lifecycle_support="open-source-rds-extended-support-disabled")
    assert not QUESTION.needed(other, Utilization("orders"))
    assert QUESTION.place(database(engine="oracle-ee", engine_version="19.0.0.0")) == ""
