"""What the card says of a check's evidence, from the check itself through the request to the words."""

from __future__ import annotations

from tests.support.facts import volume
from tests.support.scan_samples import recommendation, request
from tests.unit.services.ec2.checks.test_ebs_volume_unattached import judge

from finops.domain.decision import State
from finops.domain.recommendation import Finding
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.wording import seen


def test_the_silence_that_a_deletion_rests_on_is_on_its_card() -> None:
    found = judge(volume("available"))
    assert isinstance(found, Finding)
    item = recommendation(check=found.check, evidence=found.evidence)
    facts = card_facts(request(item, State.PENDING), [], demo=False)
    assert seen(facts) == "no activity since <!date^1792756800^{date_short}|2026-10-23> (32 days, 100.0 % answered)"
