"""Checks that a policy brings itself (`spec.customChecks`): what a condition may name, and how it is judged."""
