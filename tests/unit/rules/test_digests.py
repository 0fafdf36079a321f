"""More new requests than a day's cards come together, the best saving last; few ones get a card each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.support.scan_samples import NOW, WORDS, account, plan_of, policy, recommendation, request

from finops.crds.action_request import ActionRequest, ActionRequestSpec, DigestEntry
from finops.domain.decision import State
from finops_operator.rules.candidates import request_spec
from finops_operator.rules.digests import in_order

SLACK = {"channel": "C0123456789", "cardsPerDay": 3, "minimumMonthlySavings": 5}


def by(**slack: Any) -> Any:
    return policy(notify={"slack": {**SLACK, **slack}})


def spec(number: int, saving: str, **slack: Any) -> ActionRequestSpec:
    item = recommendation(number, monthly_savings=Decimal(saving))
    return request_spec(by(**slack), account(), item, plan_of(item), WORDS, NOW)


def made(number: int, *, hours_ago: float, digest: str = "") -> ActionRequest:
    found = request(recommendation(number), State.DENIED, by=by())
    entry = DigestEntry(id=digest, position=1, size=2) if digest else None
    return found.model_copy(
        update={
            "spec": found.spec.model_copy(update={"slack_digest": entry}),
            "metadata": found.metadata.model_copy(update={"creation_timestamp": NOW - timedelta(hours=hours_ago)}),
        }
    )


def savings(specs: tuple[ActionRequestSpec, ...]) -> list[str]:
    return [str(one.estimate.monthly_savings) for one in specs]


def test_few_requests_get_a_card_each_the_best_saving_last() -> None:
    found = in_order(by(), [spec(1, "30.00"), spec(2, "10.00"), spec(3, "20.00")], [], NOW)
    assert savings(found) == ["10.00", "20.00", "30.00"]
    assert [one.slack_digest for one in found] == [None] * 3


def test_more_than_a_days_cards_come_together_with_the_best_saving_last() -> None:
    found = in_order(by(), [spec(n, f"{n}0.00") for n in (4, 2, 1, 3)], [], NOW)
    assert savings(found) == ["10.00", "20.00", "30.00", "40.00"]
    assert [one.slack_digest for one in found] == [
        DigestEntry(id="20260310t123000z", position=place, size=4) for place in (1, 2, 3, 4)
    ]


def test_cards_of_the_last_day_count_and_those_in_a_digest_do_not() -> None:
    new = [spec(1, "10.00"), spec(2, "20.00")]
    single = [made(number, hours_ago=hours) for number, hours in ((3, 1), (4, 23))]
    assert all(one.slack_digest for one in in_order(by(), new, single, NOW))
    for harmless in (made(4, hours_ago=25), made(4, hours_ago=2, digest="earlier")):
        assert not any(one.slack_digest for one in in_order(by(), new, [single[0], harmless], NOW))


def test_a_single_new_request_gets_its_own_card_whatever_the_day_brought() -> None:
    (found,) = in_order(by(cardsPerDay=0), [spec(1, "10.00")], [made(2, hours_ago=1)], NOW)
    assert found.slack_digest is None


def test_what_gets_no_card_is_in_no_digest() -> None:
    found = in_order(by(cardsPerDay=1), [spec(1, "1.00"), spec(2, "10.00"), spec(3, "20.00")], [], NOW)
    assert [one.slack_digest and (one.slack_digest.position, one.slack_digest.size) for one in found] == [
        None,
        (1, 2),
        (2, 2),
    ]


def test_a_saving_that_nobody_can_know_comes_before_the_smallest_one() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("new_monthly_cost", "monthly_savings", "list_monthly_savings"))
    item = recommendation(9, **nothing, saving_unknown="AWS does not say it")
    unknown = request_spec(by(), account(), item, plan_of(item), WORDS, NOW)
    found = in_order(by(), [spec(1, "6.00"), unknown, spec(2, "0.01")], [], NOW)
    assert savings(found) == ["None", "0.01", "6.00"]
