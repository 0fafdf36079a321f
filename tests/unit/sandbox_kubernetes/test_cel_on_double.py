"""CEL as the double evaluates it: values by schema, comparisons, functions, and what it refuses to guess."""

from typing import Any

import pytest

from finops_sandbox.kubernetes.cel import EvaluationFailed, Expression, NotEvaluable, escape, plain, typed

SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "when": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "namespace": {"type": "string"},
        "a-b": {"type": "string"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "names": {"type": "array", "items": {"type": "string"}},
    },
}
VALUE = {
    "count": 5,
    "ratio": 2,
    "when": "2026-03-01T12:30:00Z",
    "wait": "90m",
    "namespace": "n",
    "a-b": "x",
    "tags": {"a-b": "c"},
    "names": ["b", "a", "c"],
}


@pytest.mark.parametrize(
    "rule",
    [
        "self.ratio > 1.5 && self.ratio == 2 && self.count < 5.5",
        "self.when > timestamp('2026-01-01T00:00:00Z') && self.when.getHours('Europe/Berlin') == 13",
        "self.when.getMonth() == 2 && self.when.getDayOfWeek() == 0 && self.when.getDayOfYear() == 59",
        "self.wait == duration('1h30m') && self.wait.getMinutes() == 90",
        "self.__namespace__ == 'n' && self.a__dash__b == 'x' && self.tags['a-b'] == 'c'",
        "!has(self.other) && has(self.tags) && 'a-b' in self.tags",
        "self.names.all(n, n.matches('^[a-c]$')) && self.names.exists_one(n, n == 'a') && !self.names.isSorted()",
        "self.names.map(n, n.upperAscii()).join('-') == 'B-A-C' && self.names.indexOf('c') == 2",
        "'a,b'.split(',') == ['a', 'b'] && 'abc'.substring(1, 2) == 'b' && ' x '.trim() == 'x'",
        "'%s has %d'.format(['it', 3]) == 'it has 3' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "'a//b' == 'a' + '//b' && 'a' + 'b' < 'b' && !('a' == 1)",
        "isURL('https://example.com/a') && !isURL('example')",
        "[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && [3, 1].max() == 3",
        "self.missing == 1 || true",
        "dyn(1) != 'a' && {'a': [1, 2.0]} == {'a': [1.0, 2]}",
        "self.count in [1, 5] && size(self.names) == 3 && type(self.count) == int",
    ],
)
def test_rules_hold_as_on_the_real_server(rule: str) -> None:
    assert Expression(rule).holds({"self": typed(VALUE, SCHEMA)})


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("self.other > 1", "no such key: other"),
        ("has(self.other.deep)", "no such key: other"),
        ("duration('1d') > duration('1h')", 'invalid duration "1d"'),
        ("self.when.getHours('europe/berlin') > 0", "unknown time zone europe/berlin"),
        ("self.names.filter(n, n.size() > self.other).size() == 0", "no such key: other"),
        ("self.count", "must evaluate to a bool"),
        ("self.count / 0 > 1", "divide by zero"),
        ("self.__namespace__ < 3", "no such overload"),
        ("'%x'.format([1]) == '1'", "not supported"),
    ],
)
def test_a_failing_evaluation_is_an_error_never_an_answer(rule: str, reason: str) -> None:
    with pytest.raises(EvaluationFailed, match=reason):
        Expression(rule).holds({"self": typed(VALUE, SCHEMA)})


@pytest.mark.parametrize(
    "rule",
    [
        "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
        "self.names.all(i, n, i < 3)",
        "self.?names.hasValue()",
        "cel.bind(x, 1, x > 0)",
        "self.names.map(n, n != '', n).size() > 0",
        "self.count >",
    ],
)
def test_what_cannot_be_evaluated_is_refused_when_compiled(rule: str) -> None:
    with pytest.raises(NotEvaluable):
        Expression(rule)


def test_at_the_root_only_the_name_of_the_metadata_is_visible() -> None:
    obj: dict[str, Any] = {"metadata": {"name": "a", "labels": {"x": "y"}}, "count": 1}
    variables = {"self": typed(obj, SCHEMA, root=True)}
    assert Expression("self.metadata.name == 'a' && !has(self.metadata.labels)").holds(variables)


def test_values_without_schema_keep_their_json_type() -> None:
    variables = {"object": plain({"n": 5, "t": "2026-01-01T00:00:00Z", "none": None})}
    assert Expression("object.n == 5 && object.t.startsWith('2026') && object.none == null").holds(variables)


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("in", "__in__"), ("a.b/c", "a__dot__b__slash__c"), ("x__y", "x__underscores__y")],
)
def test_property_names_are_escaped_as_documented(name: str, escaped: str) -> None:
    assert escape(name) == escaped
