"""Files with policies and accounts: every mistake names file, document, field, rule and fix, all of them at once."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from finops_operator.cli.documents import Documents, read_documents
from finops_operator.cli.problems import InvalidDocuments, Problem
from finops_operator.plugins.loaded import plugins

LOADED = plugins()
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def policy(name: str = "nightly", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "finops.dev/v1alpha1", "kind": "ScanPolicy", "metadata": {"name": name}, "spec": spec}


def account(name: str = "default", **spec: Any) -> dict[str, Any]:
    whole = {"accountId": "111111111111", **spec}
    return {"apiVersion": "finops.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name}, "spec": whole}


def read(path: Path, *documents: Mapping[str, Any] | str) -> Documents:
    texts = [one if isinstance(one, str) else yaml.safe_dump(dict(one)) for one in documents]
    path.write_text("---\n".join(texts), encoding="utf-8")
    return read_documents([str(path)], LOADED, NOW)


def problems(path: Path, *documents: Mapping[str, Any] | str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidDocuments) as caught:
        read(path, *documents)
    return caught.value.problems


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_in_the_docs_is_accepted(example: Path) -> None:
    found = read_documents([str(example)], LOADED, NOW)
    assert found.policies
    for one in found.policies:
        assert {reference.name for reference in one.spec.accounts} <= set(found.accounts)


def test_documents_lists_and_empty_documents_are_read_in_order(tmp_path: Path) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [account(), policy("second")]}
    found = read(tmp_path / "all.yaml", policy("first"), "", listed)
    assert [one.metadata.name for one in found.policies] == ["first", "second"]
    assert set(found.accounts) == {"default"}


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    text = yaml.safe_dump(policy()).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert [one.metadata.name for one in read_documents(["-"], LOADED, NOW).policies] == ["nightly"]


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (policy(schedule="61 * * * *"), "spec.schedule", "cron"),
        (policy(schedule="0 0 31 2 *"), "spec.schedule", "cron"),
        (policy(timeZone="Mars/Olympus"), "spec.timeZone", "IANA"),
        (policy(checks=[{"id": "ec2_idle"}]), "spec.checks[0].id", "ec2_instance_idle"),
        (
            policy(checks=[{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 900}}]),
            "spec.checks[0].parameters.maximumCpuPercent",
            "50",
        ),
        (
            policy(checks=[{"id": "ec2_instance_idle", "parameters": {"maximumCpu": 1}}]),
            "spec.checks[0].parameters.maximumCpu",
            "maximumCpuPercent",
        ),
        (policy(resources=["ec2"]), "spec.resources[0]", "ec2-instance"),
        (policy(regions=["frankfurt"]), "spec.regions[0]", "eu-west-1"),
        (policy(metrics={"lookbackDays": 456}), "spec.metrics.lookbackDays", "455"),
        (policy(timezone="UTC"), "spec.timezone", "timeZone"),
        (policy(suspend="yes"), "spec.suspend", "true or false"),
        (account(accountId=111111111111), "spec.accountId", "quotes"),
        (account(accountId="123"), "spec.accountId", "12"),
        (account(scannerRoleArn="finops"), "spec.scannerRoleArn", "arn:aws:iam"),
        ({**policy(), "kind": "ScanPolicies"}, "kind", "ScanPolicy"),
        ({**policy(), "apiVersion": "v1"}, "apiVersion", "finops.dev/v1alpha1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_value_names_file_field_and_fix(tmp_path: Path, document: dict[str, Any], field: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    (problem,) = problems(path, document)
    assert problem.field == field
    assert words in f"{problem.rule} {problem.hint}"
    assert problem.hint
    assert str(path) in str(problem)


@pytest.mark.parametrize(
    ("days", "words"),
    [(62, ""), (63, "5-minute points reach 62 days back"), (454, "read by the hour"), (455, "count as missing")],
)
def test_a_lookback_that_a_picture_cannot_reach_is_said_when_the_policy_is_read(
    tmp_path: Path, days: int, words: str
) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(yaml.safe_dump(policy(metrics={"lookbackDays": days})))
    notes = list(read_documents([str(path)], LOADED, NOW).notes())
    assert len(notes) == bool(words)
    assert not words or (notes[0].startswith(f"nightly: spec.metrics.lookbackDays is {days}") and words in notes[0])


def test_all_problems_of_all_documents_are_named_at_once_with_their_places(tmp_path: Path) -> None:
    found = problems(
        tmp_path / "bad.yaml", policy("a", schedule="x", timeZone="y"), account(), policy("b", regions=[1])
    )
    assert [(one.document.split(" ")[1], one.field) for one in found] == [
        ("1", "spec.schedule"),
        ("1", "spec.timeZone"),
        ("3", "spec.regions[0]"),
    ]
    assert "ScanPolicy/b" in found[2].document


def test_what_breaks_the_schema_hides_neither_unknown_ids_nor_parameters_nor_a_schedule(tmp_path: Path) -> None:
    checks = [
        {"id": "ec2_instance_idel"},
        {"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 99, "maximumCpu": 1}},
        {"id": "ebs_volume_gp2", "parameters": {"odd": 1}},
        5,
    ]
    spec: dict[str, Any] = {"resources": ["ec2-instanc", 7], "checks": checks, "actions": {"allowed": ["ec2_stop"]}}

    found = problems(tmp_path / "bad.yaml", policy(schedule="@daily", timeZone="Nowhere/Town", **spec))

    assert {one.field for one in found} == {
        "spec.schedule",
        "spec.timeZone",
        "spec.resources[0]",
        "spec.resources[1]",
        "spec.checks[0].id",
        "spec.checks[1].parameters.maximumCpuPercent",
        "spec.checks[1].parameters.maximumCpu",
        "spec.checks[2].parameters.odd",
        "spec.checks[3]",
        "spec.actions.allowed[0]",
    }
    assert len(found) == 10
    assert {one.document for one in found} == {"document 1 (ScanPolicy/nightly)"}


def test_a_wrong_zone_does_not_hide_a_schedule_that_never_comes(tmp_path: Path) -> None:
    found = problems(tmp_path / "bad.yaml", policy(schedule="0 0 31 2 *", timeZone="Nowhere/Town"))

    assert {one.field for one in found} == {"spec.schedule", "spec.timeZone"}


def test_what_breaks_the_schema_of_an_account_does_not_hide_an_unknown_action(tmp_path: Path) -> None:
    grant = {"namespaces": ["team-a"], "actions": ["ec2_instance_stopp"]}

    found = problems(tmp_path / "bad.yaml", account(accountId="12", allow=[grant]))

    assert {one.field for one in found} == {"spec.accountId", "spec.allow[0].actions[0]"}


@pytest.mark.parametrize("spec", ["allow: 5", "allow: [5]", "allow: [{actions: x}]", "checks: {a: b}", "actions: []"])
def test_what_has_another_shape_than_the_schema_is_named_by_the_schema_alone(tmp_path: Path, spec: str) -> None:
    kind = "AwsAccount" if spec.startswith("allow") else "ScanPolicy"

    found = problems(tmp_path / "bad.yaml", f"{HEAD.replace('ScanPolicy', kind)}spec: {{{spec}}}\n")

    assert found
    assert len({one.field for one in found}) == len(found)


def test_a_known_problem_of_a_check_has_the_place_at_which_it_stands(tmp_path: Path) -> None:
    checks = [{"id": "no_such_check"}, {"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 99}}]

    found = problems(tmp_path / "bad.yaml", policy(checks=checks))

    assert [one.field for one in found] == ["spec.checks[0].id", "spec.checks[1].parameters.maximumCpuPercent"]


def test_broken_yaml_names_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "bad.yaml", "kind: ScanPolicy\nspec: {a: [1, 2}\n")
    assert problem.document.startswith("line 2")
    assert "YAML" in problem.rule


@pytest.mark.parametrize("text", ["just text\n", "- a\n- b\n", "7\n"])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path / "bad.yaml", text)
    assert "is not an object" in problem.rule


def test_the_same_name_twice_is_refused_and_the_first_one_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "twice.yaml", account(), account())
    assert problem.field == "metadata.name"
    assert "document 1" in problem.rule


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00kind")
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * 4_100_000)
    with pytest.raises(InvalidDocuments) as caught:
        read_documents([str(tmp_path / "none.yaml"), str(tmp_path), str(binary), str(huge)], LOADED, NOW)
    named = [str(one) for one in caught.value.problems]
    assert "No such file" in named[0]
    assert "directory" in named[1].lower()
    assert "UTF-8" in named[2]
    assert "larger than" in named[3]


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']\n", "a: &a [*a]\n", "? {a: 1}\n: 2\n"])
def test_yaml_that_builds_objects_or_loops_is_refused_not_run(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path / "evil.yaml", text)


HEAD = "apiVersion: finops.dev/v1alpha1\nkind: ScanPolicy\nmetadata: {name: a}\n"
LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("kind: List\nitems: 5\n", "items", "is not a list"),
        ("kind: List\nitems: {a: 1}\n", "items", "is not a list"),
        ("kind: List\nitems: [5]\n", "document 1", "is not an object"),
        (f"{HEAD}spec: &s {{selector: *s}}\n", "line 4", "alias"),
        (f"{HEAD}spec: &s {{}}\nstatus: *s\n", "line 5", "alias"),
        (f"a0: &a0 x\n{LAUGHS}", "line 2", "alias"),
        (f"{HEAD}spec: {{}}\nspec: {{suspend: true}}\n", "line 5", "repeats the key 'spec'"),
        (f"{HEAD}spec:\n  suspend: true\n  suspend: false\n", "line 6", "repeats the key 'suspend'"),
        (f"{HEAD}spec: {{1: a, '1': b}}\n", "line 4", "repeats the key '1'"),
        ("a: " + "[" * 5000, "line 1", "nested more than 50 deep"),
        ("a: " + "{b: " * 5000, "line 1", "nested more than 50 deep"),
        ("- " * 5000, "line 1", "nested more than 50 deep"),
        ("? " * 5000, "line 1", "nested more than 50 deep"),
        ("a: [" + "1," * 200_000 + "1]\n", "line 1", "value number 50001"),
        ("? {a: 1}\n: 2\n", "line 1", "a key that is not a string"),
        (f"{HEAD}spec: {{timeZone: {'1' * 5000}}}\n", "line 4", "is no int that can be read"),
        ("a: !!int abc\n", "line 1", "is no int"),
        ("a: !!int ''\n", "line 1", "is no int"),
        ("a: !!float abc\n", "line 1", "is no float"),
        ("a: !!bool abc\n", "line 1", "is no bool"),
        ("a: !!binary x\n", "line 1", "is not YAML"),
        ("a: !!timestamp 2026-01-01\n", "line 1", "is not YAML"),
        ("a: !!python/name:os.system ''\n", "line 1", "is not YAML"),
        ("a: !mine 5\n", "line 1", "is not YAML"),
        ("a: b\x00c\n", "", "special characters"),
        ("a: 'b\n", "line 2", "is not YAML"),
        ("\tkind: ScanPolicy\n", "line 1", "is not YAML"),
        (f"{HEAD}spec: {{pricing: {{discountPercent: .nan}}}}\n", "spec.pricing.discountPercent", "is not a number"),
        (f"{HEAD}spec: {{pricing: {{discountPercent: -.inf}}}}\n", "spec.pricing.discountPercent", "is not a number"),
        (f"{HEAD}spec: {{pricing: {{hoursPerMonth: {10**30}}}}}\n", "spec.pricing.hoursPerMonth", "is out of range"),
        (f'{HEAD}spec: {{timeZone: "\\ud800"}}\n', "spec.timeZone", "half a character"),
        (f"{HEAD}spec: {{schedule: '* * * *'}}\n", "spec.schedule", "five fields"),
        (f"{HEAD}spec: {{schedule: '@hourly'}}\n", "spec.schedule", "five fields"),
        (f"{HEAD}spec: {{schedule: 2026-02-31}}\n", "spec.schedule", "five fields"),
        (f"{HEAD}spec: {{timeZone: ''}}\n", "spec.timeZone", "IANA"),
        (f"{HEAD}spec: {{accounts: []}}\n", "spec.accounts", "give at least one"),
        (f"{HEAD}spec: 5\n", "spec", "an object"),
        (f"{HEAD}spec: []\n", "spec", "an object"),
        (f"{HEAD}spec: {{? : a}}\n", "spec.null", "is not a field"),
        (HEAD.replace("{name: a}", "{name: UPPER_x}"), "metadata.name", "small letters"),
        (HEAD.replace("{name: a}", "{name: 2026-02-31, namespace: A}"), "metadata.namespace", "small letters"),
        (HEAD.replace("{name: a}", "{name: 5}"), "metadata.name", "a string in quotes"),
        (HEAD.replace("{name: a}", "5"), "metadata", "an object"),
        (HEAD.replace("{name: a}", "~"), "metadata", "is missing"),
        (HEAD.replace("ScanPolicy", "[ScanPolicy]"), "kind", "write ScanPolicy or AwsAccount"),
        (HEAD.replace("ScanPolicy", "x" * 100_000), "kind", "write ScanPolicy or AwsAccount"),
    ],
    ids=lambda value: value[-40:].strip() if isinstance(value, str) else "",
)
def test_whatever_is_in_a_file_is_answered_with_place_rule_and_fix_and_soon(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    began = time.process_time()
    (problem, *_) = problems(tmp_path / "bad.yaml", text)
    assert place in f"{problem.document}: {problem.field}"
    assert words in f"{problem.rule}; {problem.hint}"
    assert problem.hint
    assert len(str(problem)) < 1000
    assert time.process_time() - began < 20


def test_an_account_is_the_same_whatever_namespace_its_file_names(tmp_path: Path) -> None:
    first, second = account(), account()
    second["metadata"]["namespace"] = "other"
    (problem,) = problems(tmp_path / "twice.yaml", first, second)
    assert problem.field == "metadata.name"


def test_dates_stay_the_text_they_are_as_with_kubectl(tmp_path: Path) -> None:
    text = f"{HEAD.replace('{name: a}', '{name: 2026-01-31}')}spec: {{'suspend': yes}}\n"
    (found,) = read(tmp_path / "good.yaml", text).policies
    assert found.metadata.name == "2026-01-31"
    assert found.spec.suspend


def test_a_check_of_a_policys_own_on_a_kind_that_it_does_not_scan_is_named(tmp_path: Path) -> None:
    own = {"id": "ours", "kind": "ebs-volume", "when": "cost.monthly > 1", "message": "Ours."}
    ours = policy(customChecks=[own], resources=["ec2-instance"])
    (found,) = problems(tmp_path / "policies.yaml", ours, account())
    assert (found.field, found.rule) == ("spec.customChecks[0].kind", "ebs-volume is not scanned by this policy")


def test_every_wrong_check_of_a_policys_own_is_named(tmp_path: Path) -> None:
    def own(id_: str, when: str, kind: str = "ec2-instance") -> dict[str, str]:
        return {"id": id_, "kind": kind, "when": when, "message": "Ours."}

    checks = [own("fine", "cost.monthly > 1"), own("typo", "cost.monthli > 1"), own("other", "true", "ec2-instanc")]
    found = problems(tmp_path / "policies.yaml", policy(customChecks=checks), account())
    assert [one.field for one in found] == ["spec.customChecks[1].when", "spec.customChecks[2].kind"]
    assert "line 1, column 5" in found[0].rule
    assert found[1].hint == "did you mean ec2-instance?"
