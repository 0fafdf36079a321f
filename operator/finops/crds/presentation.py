"""An act in words: what cards, lists and pages show of an ActionRequest, written by the operator when it proposes.

The words come from what the kind, the check and the action declare, so that no reader (bot, command line, web) needs to
know any of them: one that is a release older shows what a newer operator proposes. The plan alone is executed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from finops.crds.part import Part
from finops.crds.rule import pattern_rule

EVIDENCE_FACTS = 30
WARNINGS = 16
STEPS = 16
LABEL_CHARACTERS = 80
VALUE_CHARACTERS = 200
TEXT_CHARACTERS = 300
UNDO_CHARACTERS = 400

Text = Annotated[str, Field(max_length=TEXT_CHARACTERS)]


class PresentedFact(Part):
    """One line of the evidence, in words and units."""

    label: Annotated[str, Field(min_length=1, max_length=LABEL_CHARACTERS)] = Field(
        description="What was measured or compared, such as CPU, highest 5 minutes."
    )
    value: Annotated[str, Field(max_length=VALUE_CHARACTERS)] = Field(description="The figure with its unit.")


class StepTitle(Part):
    """A step in words."""

    id: Annotated[str, Field(min_length=1, max_length=63)] = Field(description="Name of the step within the action.")
    title: Annotated[str, Field(min_length=1, max_length=LABEL_CHARACTERS)] = Field(
        description="The step in words, such as Start the instance."
    )


class Presentation(Part):
    """The act in words."""

    verb: Annotated[str, Field(min_length=1, max_length=32)] = Field(description="What is done, such as Resize.")
    kind: Annotated[str, Field(min_length=1, max_length=48)] = Field(
        description="The kind of resource, such as EC2 instance."
    )
    target: Annotated[str, Field(max_length=LABEL_CHARACTERS)] = Field(
        default="", description="What it becomes, for headings, such as m5.xlarge. Default: empty, nothing to name."
    )
    change: Text = Field(
        default="",
        description="From what to what, with figures and units. Default: empty, nothing but the state changes.",
    )
    expectation: Text = Field(
        default="", description="What to expect afterwards, in sentences. Default: empty, nothing was projected."
    )
    performance_risk: Annotated[str, Field(max_length=16)] = Field(
        default="",
        description="The risk that the resource becomes too slow: VeryLow, Low, Medium, High or VeryHigh. "
        "Default: empty, not applicable.",
    )
    consequence: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS)] = Field(
        description="What the resource goes through, in sentences."
    )
    downtime: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="How long it is down, such as A few minutes."
    )
    undo: Annotated[str, Field(min_length=1, max_length=UNDO_CHARACTERS)] = Field(
        description="What happens on a failure and how a person undoes the act later, in sentences."
    )
    warnings: Annotated[tuple[Text, ...], Field(max_length=WARNINGS)] = Field(
        default=(), description="What to know before deciding, in sentences. Default: empty."
    )
    evidence: Annotated[tuple[PresentedFact, ...], Field(max_length=EVIDENCE_FACTS)] = Field(
        default=(), description="What was measured and compared, in words and units. Default: empty."
    )
    rollback: Annotated[tuple[StepTitle, ...], Field(max_length=STEPS)] = Field(
        default=(), description="The steps that would undo a failed act, in words. Default: empty, there are none."
    )
    owner: Annotated[str, Field(max_length=VALUE_CHARACTERS)] = Field(
        default="", description="Who owns the resource by its tags. Default: empty, no such tag."
    )
    console_url: Annotated[
        str,
        Field(max_length=1024),
        pattern_rule("(https://[!-~]+)?", "is not a web address", "write one that starts with https://"),
    ] = Field(default="", description="The resource in the AWS console. Default: empty, there is no such page.")
