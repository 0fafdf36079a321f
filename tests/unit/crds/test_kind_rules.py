from __future__ import annotations

import pytest
from tests.support.manifests import manifest
from tests.support.rule_case import RuleCase
from tests.support.rule_cases import RULE_CASES
from tests.support.schema_walk import all_rules

from finops.crds.generate import KINDS
from finops.crds.invalid import ROOT, InvalidObject

PARSERS = {kind.crd.kind: kind for kind in KINDS}
RULES = tuple(all_rules())
STANDING = [case for case in RULE_CASES if case.given is None]


def test_every_rule_of_the_schemas_has_a_case_and_every_case_a_rule() -> None:
    rules = {(kind, where, message.split("; ")[0]) for kind, where, message in RULES}
    assert {(case.kind, case.where, case.problem) for case in RULE_CASES} == rules


@pytest.mark.parametrize("case", STANDING, ids=str)
def test_a_file_that_keeps_the_rule_is_parsed(case: RuleCase) -> None:
    parsed = PARSERS[case.kind].from_object(manifest(case.kind, case.good))
    assert PARSERS[case.kind].from_object(parsed.to_object()) == parsed


@pytest.mark.parametrize("case", STANDING, ids=str)
def test_a_file_that_breaks_the_rule_is_refused_with_field_and_fix(case: RuleCase) -> None:
    with pytest.raises(InvalidObject) as caught:
        PARSERS[case.kind].from_object(manifest(case.kind, case.bad))
    messages = {message for kind, where, message in RULES if (kind, where) == (case.kind, case.where)}
    found = [field for field in caught.value.fields if field.rule == case.problem]
    assert [field.path for field in found] == [case.shown_path or ROOT], str(caught.value)
    assert f"{found[0].rule}; {found[0].hint}" in messages
    assert found[0].path in str(caught.value)
    assert found[0].hint in str(caught.value)
