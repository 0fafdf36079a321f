"""Every rule of our kinds with an object it accepts and one it refuses.

The unit tests put them to the Python models, the cluster tests to a real API server, so that the two agree.
"""

from __future__ import annotations

from tests.support.budget_rule_cases import BUDGET
from tests.support.policy_rule_cases import AWS_ACCOUNT, SCAN_POLICY
from tests.support.request_rule_cases import ACTION_REQUEST, APPROVAL
from tests.support.rule_case import RuleCase

RULE_CASES: tuple[RuleCase, ...] = (*SCAN_POLICY, *AWS_ACCOUNT, *ACTION_REQUEST, *APPROVAL, *BUDGET)
