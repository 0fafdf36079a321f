"""opensearch_domain_delete: what speaks against it, what is lost, what it calls, when it succeeded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.opensearch.actions.opensearch_domain_delete import ACTION
from finops_operator.services.opensearch.rules.domain_observation import observe_domain

_ARN: Final = "arn:aws:es:us-east-1:111111111111:domain/logs"
_DOMAIN: Final = ResourceRef("opensearch-domain", "logs", _ARN, "111111111111", "us-east-1")
_NOW: Final = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
_NO_FACTS: Final = PolicyFacts()
_SNAPSHOT: Final = "backups/logs-2026"
_NAMED: Final[dict[str, Any]] = {"snapshot": _SNAPSHOT}
_STATED: Final = {"Key": "finops.dev/manual-snapshot", "Value": _SNAPSHOT}
_WEEK: Final = [0.0] * 168
_CLUSTER: Final = {"InstanceType": "m7g.large.search", "InstanceCount": 2, "WarmEnabled": False}
_DESCRIBED: Final[dict[str, Any]] = {
    "DomainName": "logs",
    "Created": True,
    "Deleted": False,
    "Processing": False,
    "UpgradeProcessing": False,
    "DomainProcessingStatus": "Active",
    "Endpoint": "search-logs-abc.us-east-1.es.amazonaws.com",
    "EngineVersion": "OpenSearch_2.19",
    "ClusterConfig": _CLUSTER,
}


class MeteredReader(CannedReader):
    """Answers CloudWatch's questions from the values of each metric by its name."""

    metrics: dict[str, list[float]]

    def read(self, operation: str, parameters: Any) -> Any:
        answer = super().read(operation, parameters)
        if operation != "cloudwatch:GetMetricData":
            return answer
        found = [
            {"Id": query["Id"], "Values": self.metrics[name], "StatusCode": "Complete"}
            for query in parameters["MetricDataQueries"]
            if (name := query["MetricStat"]["Metric"]["MetricName"]) in self.metrics
        ]
        return {"MetricDataResults": found}


def reader(
    further: dict[str, Any] | None = None, metrics: dict[str, list[float]] | None = None, **changes: Any
) -> MeteredReader:
    described = {"DomainStatus": {**_DESCRIBED, **changes}}
    found = MeteredReader({"opensearch:DescribeDomain": described, **tagged(), **(further or {})})
    found.metrics = {"SearchRate": _WEEK, "IndexingRate": _WEEK, "SearchableDocuments": [12.0] * 168, **(metrics or {})}
    return found


def observed(
    further: dict[str, Any] | None = None, metrics: dict[str, list[float]] | None = None, **changes: Any
) -> Observation:
    return ACTION.observe(reader(further, metrics, **changes), Target(_DOMAIN, {}, now=_NOW))


def tagged(key: str = "", value: str = "", *, stated: bool = True) -> dict[str, Any]:
    tags = [*([_STATED] if stated else []), *([{"Key": key, "Value": value}] if key else [])]
    listed = [{"ResourceARN": _ARN, "Tags": tags}]
    return {"resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": listed}}


def gone() -> Observation:
    error = AwsRejected("no", operation="opensearch:DescribeDomain", code="ResourceNotFoundException")
    return observed({"opensearch:DescribeDomain": error})


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, _NAMED, facts)]


def test_nothing_speaks_against_a_domain_that_nobody_uses() -> None:
    assert codes(observed(tagged("team", "search"))) == []
    assert codes(observed(metrics={"SearchableDocuments": _WEEK})) == []
    assert codes(observed(DomainProcessingStatus=None)) == [], "older answers say it by the flags alone"
    in_a_network: dict[str, Any] = {"Endpoint": None, "Endpoints": {"vpc": "vpc-logs-abc.us-east-1.es.amazonaws.com"}}
    assert codes(observed(**in_a_network)) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (gone(), "NotFound"),
        (observed(tagged("finops.dev/protected", "true")), "Protected"),
        (observed(tagged("legal-hold", "true")), "KeptByTag"),
        (observed(tagged("retention", "7y")), "KeptByTag"),
        (observed(tagged("services.k8s.aws/namespace", "shop")), "OwnedByController"),
        (observed(tagged("aws:cloudformation:stack-name", "shop")), "OwnedByTemplate"),
        (observed(Created=False), "NotActive"),
        (observed(Created=None), "NotActive"),
        (observed(Deleted=True), "NotActive"),
        (observed(Processing=True), "NotActive"),
        (observed(Processing=None), "NotActive"),
        (observed(UpgradeProcessing=True), "NotActive"),
        (observed(DomainProcessingStatus="Isolated"), "NotActive"),
        (observed(Endpoint=None), "AddressUnknown"),
        (observed(ClusterConfig={**_CLUSTER, "WarmEnabled": True}), "OtherStorage"),
        (observed(ClusterConfig={**_CLUSTER, "ColdStorageOptions": {"Enabled": True}}), "OtherStorage"),
        (observed(metrics={"SearchRate": [*_WEEK[1:], 0.1]}), "InUse"),
        (observed(metrics={"IndexingRate": [*_WEEK[1:], 0.1]}), "InUse"),
        (observed(metrics={"IndexingRate": _WEEK[:150]}), "UseUnknown"),
        (observed(metrics={"SearchRate": []}), "UseUnknown"),
        (observed(metrics={"SearchableDocuments": []}), "DocumentsUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_and_what_was_not_measured_at_all_are_refused() -> None:
    assert codes(observed(tagged("env", "prod")), PolicyFacts({"env": ("prod",)})) == ["Protected"]
    for target in (Target(_DOMAIN, {}), Target(_DOMAIN, {}, full=False, now=_NOW)):
        assert codes(observe_domain(reader(), target)) == ["UseUnknown", "DocumentsUnknown"]


def test_without_a_snapshot_that_people_name_it_is_refused() -> None:
    def refused(parameters: dict[str, Any], seen: Observation) -> list[str]:
        return [one.code for one in ACTION.preflight(seen, parameters, _NO_FACTS)]

    assert refused({}, observed()) == ["NoSnapshotNamed"]
    assert refused(_NAMED, observed(tagged(stated=False))) == ["OtherSnapshotNamed"]
    assert refused({"snapshot": "backups/logs-2025"}, observed()) == ["OtherSnapshotNamed"]
    assert refused({}, gone()) == ["NotFound"]
    for wrong in ("logs-2026", "backups/", "Backups/<!channel>", "a/b/c", 7):
        with pytest.raises(InvalidInput):
            ACTION.preflight(observed(), {"snapshot": wrong}, _NO_FACTS)
        with pytest.raises(InvalidInput):
            ACTION.plan(_DOMAIN, {"snapshot": wrong}, {})


def test_the_card_says_how_much_is_lost_and_that_nothing_brings_it_back() -> None:
    plan = ACTION.plan(_DOMAIN, _NAMED, observed().fingerprint)
    words, (lost, *_) = ACTION.words(observed(), _NAMED, plan), ACTION.warnings(observed(), _NAMED)
    assert lost == "What no snapshot holds is lost, of 12 documents. Its automated ones restore no other domain."
    assert [(fact.label, fact.value) for fact in words.facts] == [
        ("It holds", "12 documents"),
        ("Manual snapshot, by the word of its tag", _SNAPSHOT),
    ]
    assert f"That the manual snapshot {_SNAPSHOT} exists is the word of its tag." in ACTION.warnings(observed(), _NAMED)
    assert plan.parameters == _NAMED
    assert "Reserved instances go on to be billed, whether a domain uses them or not." in ACTION.warnings(
        observed(), {}
    )
    assert words.undo.startswith("AWS brings no deleted domain back.")
    assert (ACTION.destructive, ACTION.rollback_possible, ACTION.undo) == (True, False, None)
    # The greatest figure of the week: a node that failed meanwhile may hide some.
    assert observed(metrics={"SearchableDocuments": [3.0, 1.0]}).facts["documents"] == 3
    assert "1 document." in ACTION.warnings(observed(metrics={"SearchableDocuments": [1.0]}), {})[0]
    assert "an unknown number" in ACTION.warnings(observed(metrics={"SearchableDocuments": []}), {})[0]


def test_one_call_deletes_it_with_the_one_right_that_is_declared_on_its_arn_alone() -> None:
    plan = ACTION.plan(_DOMAIN, _NAMED, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == ("opensearch:DeleteDomain", {"DomainName": "logs"})
    assert ACTION.procedure.steps[step.id].destroys
    assert list(granted(ACTION, plan)) == [("opensearch:DeleteDomain", "es:DeleteDomain", _ARN)]
    assert ACTION.permissions == ("es:DeleteDomain",)
    assert ACTION.rights.calls["es:DeleteDomain"] == step.operation


def test_it_is_called_only_while_the_domain_is_as_people_saw_it_and_never_again_once_it_goes() -> None:
    plan, step = ACTION.plan(_DOMAIN, _NAMED, observed().fingerprint), ACTION.procedure.steps["delete"]
    assert step.expected(plan, observed())
    for changed in (
        observed(Endpoint="search-logs-xyz.us-east-1.es.amazonaws.com"),
        observed(EngineVersion="OpenSearch_3.1"),
        observed(ClusterConfig={**_CLUSTER, "InstanceCount": 3}),
        observed(tagged("team", "search")),
        observed(tagged(stated=False)),
        observed(Processing=True),
    ):
        assert not step.expected(plan, changed)
        assert not step.reached(plan, changed)
    for going in (observed(Deleted=True), observed(DomainProcessingStatus="Deleting"), gone()):
        assert step.reached(plan, going)
        assert not step.expected(plan, going)


def test_it_has_succeeded_only_when_aws_knows_the_domain_no_more() -> None:
    plan, rules = ACTION.plan(_DOMAIN, _NAMED, observed().fingerprint), ACTION.procedure
    assert not rules.verified(plan, observed())
    assert not rules.verified(plan, observed(Deleted=True))
    assert rules.verified(plan, gone())
    assert rules.found(plan, observed(Deleted=True)) == "The domain is being deleted."
    assert rules.found(plan, gone()) == "The domain is deleted with all that it held."


def test_it_reads_with_the_rights_that_it_declares_and_a_refused_read_proves_nothing() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_DOMAIN, {}, now=_NOW))
    assert asked.operations == {ACTION.rights.calls.get(one, one) for one in ACTION.read_permissions}
    with pytest.raises(AwsRejected):
        observed({"opensearch:DescribeDomain": AwsRejected("no", operation="x", code="ValidationException")})
