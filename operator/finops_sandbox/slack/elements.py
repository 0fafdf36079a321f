"""Limits of Block Kit's inner objects: texts, confirmations, options and interactive elements.

Figures: docs.slack.dev/reference/block-kit (composition objects, block elements). Called by the block validator only.
"""

from collections.abc import Callable, Sequence
from typing import Any

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.text import escape

OPTIONS_MAX = 100
ELEMENT_PLACES: dict[str, frozenset[str]] = {
    "button": frozenset({"section", "actions"}),
    "overflow": frozenset({"section", "actions"}),
    "checkboxes": frozenset({"section", "actions", "input"}),
    "radio_buttons": frozenset({"section", "actions", "input"}),
    "datepicker": frozenset({"section", "actions", "input"}),
    "timepicker": frozenset({"section", "actions", "input"}),
    "static_select": frozenset({"section", "actions", "input"}),
    "multi_static_select": frozenset({"section", "input"}),
    "external_select": frozenset({"section", "actions", "input"}),
    "multi_external_select": frozenset({"section", "input"}),
    "users_select": frozenset({"section", "actions", "input"}),
    "multi_users_select": frozenset({"section", "input"}),
    "conversations_select": frozenset({"section", "actions", "input"}),
    "channels_select": frozenset({"section", "actions", "input"}),
    "plain_text_input": frozenset({"input"}),
    "number_input": frozenset({"input"}),
    "email_text_input": frozenset({"input"}),
    "url_text_input": frozenset({"input"}),
    "image": frozenset({"section", "context"}),
}


class Findings:
    """Collects what is wrong, worded and pointed at as Slack does."""

    def __init__(self, *, count_escaped: bool) -> None:
        self.messages: list[str] = []
        self._count_escaped = count_escaped

    def add(self, pointer: str, message: str) -> None:
        """Note one problem at a JSON pointer."""
        self.messages.append(f"[ERROR] {message} [json-pointer:{pointer}]")

    def measure(self, text: str, *, mrkdwn: bool) -> int:
        """Return the length that counts here: as given, or as stored."""
        return len(escape(text, mrkdwn=mrkdwn)) if self._count_escaped else len(text)

    def string(self, raw: Json, key: str, pointer: str, limit: int, *, required: bool = False) -> None:
        """Check a plain string field: type and length, and presence if required."""
        value = raw.get(key)
        if value is None:
            if required:
                self.add(pointer, f"missing required field: {key}")
        elif not isinstance(value, str):
            self.add(f"{pointer}/{key}", "must be a string")
        elif len(value) > limit:
            self.add(f"{pointer}/{key}", f"must be less than {limit + 1} characters")

    def text(self, raw: Any, pointer: str, limit: int, *, plain: bool = False) -> None:
        """Check a text object of at most `limit` characters; `plain` allows plain_text only."""
        if not isinstance(raw, dict):
            self.add(pointer, "must be a text object")
            return
        kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        kind, value = raw.get("type"), raw.get("text")
        if kind not in kinds:
            self.add(f"{pointer}/type", f"must be one of {', '.join(kinds)}")
        if not isinstance(value, str):
            self.add(f"{pointer}/text", "must be a string")
        elif not value:
            self.add(f"{pointer}/text", "must be more than 0 characters")
        elif self.measure(value, mrkdwn=kind == "mrkdwn") > limit:
            self.add(f"{pointer}/text", f"must be less than {limit + 1} characters")

    def items(self, raw: Json, key: str, pointer: str, limit: int, *, least: int = 1) -> Sequence[Any]:
        """Check a list field's length and return it (empty if it is none)."""
        value = raw.get(key)
        if not isinstance(value, list):
            self.add(pointer, f"missing required field: {key}")
            return []
        if len(value) < least:
            self.add(f"{pointer}/{key}", f"no fewer than {least} items allowed")
        if len(value) > limit:
            self.add(f"{pointer}/{key}", f"no more than {limit} items allowed")
        return value


def check_element(found: Findings, raw: Any, pointer: str, place: str) -> None:
    """Check one element standing in a section, an actions block, a context or an input."""
    if not isinstance(raw, dict):
        found.add(pointer, "must be an object")
        return
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in ELEMENT_PLACES:
        found.add(f"{pointer}/type", f"unsupported type: {kind}")
        return
    if place not in ELEMENT_PLACES[kind]:
        found.add(f"{pointer}/type", f"unsupported type in {place}: {kind}")
        return
    if kind == "image":
        check_image(found, raw, pointer)
        return
    found.string(raw, "action_id", pointer, 255)
    if "confirm" in raw:
        _confirm(found, raw["confirm"], f"{pointer}/confirm")
    if "placeholder" in raw:
        found.text(raw["placeholder"], f"{pointer}/placeholder", 150, plain=True)
    check = _CHECKS.get(kind)
    if check is not None:
        check(found, raw, pointer)


def check_image(found: Findings, raw: Json, pointer: str) -> None:
    """Check an image element or block: a URL and its alternative text."""
    found.string(raw, "image_url", pointer, 3000, required=True)
    found.string(raw, "alt_text", pointer, 2000, required=True)


def _confirm(found: Findings, raw: Any, pointer: str) -> None:
    if not isinstance(raw, dict):
        found.add(pointer, "must be an object")
        return
    found.text(raw.get("title"), f"{pointer}/title", 100, plain=True)
    found.text(raw.get("text"), f"{pointer}/text", 300)
    found.text(raw.get("confirm"), f"{pointer}/confirm", 30, plain=True)
    found.text(raw.get("deny"), f"{pointer}/deny", 30, plain=True)
    if raw.get("style", "primary") not in {"primary", "danger"}:
        found.add(f"{pointer}/style", "must be primary or danger")


def _button(found: Findings, raw: Json, pointer: str) -> None:
    found.text(raw.get("text"), f"{pointer}/text", 75, plain=True)
    found.string(raw, "value", pointer, 2000)
    found.string(raw, "url", pointer, 3000)
    found.string(raw, "accessibility_label", pointer, 75)
    if raw.get("style", "primary") not in {"primary", "danger"}:
        found.add(f"{pointer}/style", "must be primary or danger")


def _option(found: Findings, raw: Any, pointer: str, *, plain: bool) -> None:
    if not isinstance(raw, dict):
        found.add(pointer, "must be an object")
        return
    found.text(raw.get("text"), f"{pointer}/text", 75, plain=plain)
    found.string(raw, "value", pointer, 150, required=True)
    if "description" in raw:
        found.text(raw["description"], f"{pointer}/description", 75, plain=plain)


def _options(limit: int, *, plain: bool, grouped: bool = False) -> Callable[[Findings, Json, str], None]:
    def check(found: Findings, raw: Json, pointer: str) -> None:
        if grouped and "option_groups" in raw:
            for index, group in enumerate(found.items(raw, "option_groups", pointer, OPTIONS_MAX)):
                where = f"{pointer}/option_groups/{index}"
                if not isinstance(group, dict):
                    found.add(where, "must be an object")
                    continue
                found.text(group.get("label"), f"{where}/label", 75, plain=True)
                _each_option(found, group, where, limit, plain=plain)
            return
        _each_option(found, raw, pointer, limit, plain=plain)

    return check


def _each_option(found: Findings, raw: Json, pointer: str, limit: int, *, plain: bool) -> None:
    options = found.items(raw, "options", pointer, limit)
    for index, option in enumerate(options):
        _option(found, option, f"{pointer}/options/{index}", plain=plain)
    for key in ("initial_option", "initial_options"):
        initial = raw.get(key)
        wanted = initial if isinstance(initial, list) else [initial] if initial else []
        for item in wanted:
            if item not in options:
                found.add(f"{pointer}/{key}", "must be one of the options")


def _text_input(found: Findings, raw: Json, pointer: str) -> None:
    found.string(raw, "initial_value", pointer, 3000)
    least, most = raw.get("min_length", 0), raw.get("max_length", 3000)
    if not isinstance(least, int) or not 0 <= least <= 3000:
        found.add(f"{pointer}/min_length", "must be between 0 and 3000")
    if not isinstance(most, int) or not 1 <= most <= 3000:
        found.add(f"{pointer}/max_length", "must be between 1 and 3000")


def _number_input(found: Findings, raw: Json, pointer: str) -> None:
    if not isinstance(raw.get("is_decimal_allowed"), bool):
        found.add(pointer, "missing required field: is_decimal_allowed")


_CHECKS: dict[str, Callable[[Findings, Json, str], None]] = {
    "button": _button,
    "overflow": _options(5, plain=True),
    "checkboxes": _options(10, plain=False),
    "radio_buttons": _options(10, plain=False),
    "static_select": _options(OPTIONS_MAX, plain=True, grouped=True),
    "multi_static_select": _options(OPTIONS_MAX, plain=True, grouped=True),
    "plain_text_input": _text_input,
    "number_input": _number_input,
}
