"""What a policy's condition says of recommendations about which nobody is asked."""

from __future__ import annotations

from finops_operator.rules.unproposed import unproposed


def test_a_policy_whose_recommendations_were_all_proposed_says_so() -> None:
    found = unproposed({})
    assert (found.count, found.reason) == (0, "AllProposed")
    assert found.message == "People are asked about every recommendation that can be approved."


def test_the_reasons_are_named_with_their_numbers_the_commonest_first() -> None:
    found = unproposed({"It is protected.": 2, "The policy does not allow it.": 1_400})
    assert (found.count, found.reason) == (1_402, "SomeWait")
    assert found.message == (
        "Not proposed: 1402 recommendations; finops explain says why of each. "
        "1,400: The policy does not allow it. 2: It is protected."
    )


def test_of_many_reasons_the_rare_ones_are_only_counted() -> None:
    found = unproposed({f"Reason {number}.": 10 - number for number in range(8)})
    assert found.message.endswith("6: Reason 4. 12 for other reasons.")
    assert "Reason 5" not in found.message
