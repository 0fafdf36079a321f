"""Doubles of AWS, Kubernetes and Slack on one machine, for `finops demo` and for the tests."""
