"""opensearch_domain_idle: two weeks without a search or a document, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.opensearch.domains import DOMAINS, domain, measured, without

from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.opensearch.checks.opensearch_domain_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [0.1])


def test_a_domain_without_searches_and_documents_for_two_weeks_is_idle() -> None:
    idle = DOMAINS.found(CHECK, domain(), measured())
    assert (idle.action, idle.parameters, idle.new_monthly_cost) == ("", {}, Decimal(0))
    assert "finops.dev/manual-snapshot" in idle.facts[-1].value
    assert idle.summary == "Nothing was searched or indexed for 14 days."


def test_it_may_be_deleted_once_its_tag_names_a_snapshot() -> None:
    stated = replace(domain(), tags={"finops.dev/manual-snapshot": "backups/logs-2026"})
    idle = DOMAINS.found(CHECK, stated, measured())
    assert (idle.action, idle.parameters) == ("opensearch_domain_delete", {"snapshot": "backups/logs-2026"})
    hostile = replace(domain(), tags={"finops.dev/manual-snapshot": "<!channel>"})
    assert DOMAINS.found(CHECK, hostile, measured()).action == ""


def test_a_single_search_or_document_breaks_it() -> None:
    assert "up to 0.1 searches" in DOMAINS.reason(CHECK, domain(), measured(searchesPerMinute=ONCE))
    assert "up to 0.1 documents" in DOMAINS.reason(CHECK, domain(), measured(indexingPerMinute=ONCE))


@pytest.mark.parametrize("name", ["searchesPerMinute", "indexingPerMinute"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert DOMAINS.reason(CHECK, domain(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_window_with_holes_or_of_a_few_days_proves_nothing() -> None:
    holes = summarize([0.0] * (HOURS // 2), expected=HOURS)
    assert "covers 50 %" in DOMAINS.reason(CHECK, domain(), measured(searchesPerMinute=holes))
    assert "only 13 days" in DOMAINS.reason(CHECK, domain(), measured(searchesPerMinute=flat(0, days=13)))


def test_a_domain_at_work_or_without_known_tags_is_not_judged() -> None:
    assert DOMAINS.reason(CHECK, domain("upgrading"), measured()) == "it is upgrading, not active"
    assert "may be protected" in DOMAINS.reason(CHECK, domain(tags_known=False), measured())


@pytest.mark.parametrize("name", ["searchesPerMinute", "indexingPerMinute"])
def test_a_lost_day_may_have_been_the_one_with_searches(name: str) -> None:
    lost = measured(**{name: day_lost()})
    assert DOMAINS.reason(CHECK, domain(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
