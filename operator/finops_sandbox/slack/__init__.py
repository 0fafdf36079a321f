"""A Slack workspace on one machine: Web API, socket mode, limits, failures on command, and a page to click on.

The demo runs it as a program (`python -m finops_sandbox.slack`); tests use `SlackDouble`. slack_sdk and Bolt work
against it unmodified, given its address.
"""

from finops_sandbox.slack.client import ControlRefusedError, SlackControl
from finops_sandbox.slack.double import SlackDouble

__all__ = ["ControlRefusedError", "SlackControl", "SlackDouble"]
