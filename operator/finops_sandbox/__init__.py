"""The world on one machine: doubles of AWS, Kubernetes and Slack, for `finops demo` and for the tests."""
