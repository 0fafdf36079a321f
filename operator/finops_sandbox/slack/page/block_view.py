"""Blocks of messages and modals as HTML, with the elements that the product uses; what it does not use is named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finops_sandbox.slack.model import Json, View
from finops_sandbox.slack.page.markup import EMPTY, Attributes, Html, join, tag
from finops_sandbox.slack.page.mrkdwn import mrkdwn, plain, words
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api.views import value_key


@dataclass(frozen=True, slots=True)
class Surface:
    """Where blocks stand: a message in a channel, or the person's modal when `message` is empty."""

    state: State
    key: str
    channel: str = ""
    message: str = ""

    def act(self, block: Json, element: Json) -> Attributes:
        """Return what the script posts when the element is pressed."""
        action = {"data-action": element.get("action_id", "")}
        if not self.message:
            return {"data-act": "view_action", **action}
        place = {"data-channel": self.channel, "data-message": self.message, "data-block": block.get("block_id", "")}
        return {"data-act": "click", **place, **action}


def blocks_html(surface: Surface, blocks: list[Json]) -> Html:
    """Return all blocks."""
    return join(*(_BLOCKS.get(str(block.get("type")), _unknown)(surface, block) for block in blocks))


def modal_html(state: State, view: View, depth: int) -> Html:
    """Return the person's top modal as a dialog that the script opens; `data-version` shows when it changed."""
    body = view.body
    inputs = [
        _input(view, block) if block.get("type") == "input" else blocks_html(Surface(state, f"v-{view.id}"), [block])
        for block in body.get("blocks", [])
    ]
    general = view.errors.get("")
    close = plain((body.get("close") or {"text": "Cancel" if body.get("submit") else "Close"})["text"])
    buttons = [tag("button", {"type": "button", "class": "button", "data-act": "close_view"}, close)]
    if body.get("submit"):
        buttons.append(tag("button", {"type": "submit", "class": "button primary"}, plain(body["submit"]["text"])))
    title = tag("h2", {"id": "modal-title"}, plain(body.get("title", {}).get("text", "")))
    alert = tag("p", {"class": "error", "role": "alert"}, general) if general else EMPTY
    version = f"{view.id}:{view.hash}:{sorted(view.errors.items())}"
    return tag(
        "dialog",
        {"class": "modal", "data-version": version, "aria-labelledby": "modal-title"},
        tag(
            "form",
            {"data-act": "submit_view", "data-view": view.id, "novalidate": True},
            tag("header", None, title, tag("small", None, f"{depth} of 3 open") if depth > 1 else EMPTY),
            tag("div", {"class": "modal-body"}, alert, *inputs),
            tag("footer", None, *buttons),
        ),
    )


def _text(surface: Surface, raw: Any) -> Html:
    if not isinstance(raw, dict):
        return EMPTY
    text = str(raw.get("text", ""))
    if raw.get("type") == "mrkdwn":
        return mrkdwn(surface.state, text)
    return Html("<br>".join(plain(line) for line in text.split("\n")))


def _section(surface: Surface, block: Json) -> Html:
    text = tag("div", {"class": "text"}, _text(surface, block["text"])) if "text" in block else EMPTY
    fields = [tag("div", None, _text(surface, field)) for field in block.get("fields", [])]
    return tag("div", {"class": "block"}, text, tag("div", {"class": "fields"}, *fields) if fields else EMPTY)


def _header(surface: Surface, block: Json) -> Html:
    return tag("h3", {"class": "block header"}, _text(surface, block.get("text")))


def _context(surface: Surface, block: Json) -> Html:
    items = [tag("span", None, _text(surface, element)) for element in block.get("elements", [])]
    return tag("div", {"class": "block context"}, *items)


def _actions(surface: Surface, block: Json) -> Html:
    elements = [_element(surface, block, element) for element in block.get("elements", [])]
    return tag("div", {"class": "block actions", "role": "group", "aria-label": "Actions"}, *elements)


def _unknown(_surface: Surface, block: Json) -> Html:
    return tag("div", {"class": "block muted"}, f"[block of type {block.get('type')}]")


def _element(surface: Surface, block: Json, element: Json) -> Html:
    """Return a button, and its confirmation as a dialog of its own."""
    if element.get("type") != "button":
        return tag("span", {"class": "muted"}, f"[{element.get('type')}]")
    # The id stays the same over refreshes, so that the focus stays too.
    key = f"e-{surface.key}-{block.get('block_id', '')}-{element.get('action_id', '')}"
    act, confirm = surface.act(block, element), element.get("confirm")
    attributes: Attributes = {
        "type": "button",
        "id": key,
        "class": f"button {element.get('style', '')}".strip(),
        "aria-label": words(element["accessibility_label"]) if "accessibility_label" in element else None,
        "data-url": element.get("url"),
    }
    button = tag(
        "button", attributes | ({"data-dialog": f"{key}-dialog"} if confirm else act), _text(surface, element["text"])
    )
    if not confirm:
        return button
    yes: Attributes = {"type": "button", "class": f"button {confirm.get('style', 'primary')}", "data-confirm": "true"}
    dialog = tag(
        "dialog",
        {"id": f"{key}-dialog", "class": "confirm", "aria-labelledby": f"{key}-title"},
        tag("h2", {"id": f"{key}-title"}, _text(surface, confirm.get("title"))),
        tag("p", None, _text(surface, confirm.get("text"))),
        tag(
            "footer",
            None,
            tag("button", {"type": "button", "class": "button"}, _text(surface, confirm.get("deny"))),
            tag("button", yes | act, _text(surface, confirm.get("confirm"))),
        ),
    )
    return join(button, dialog)


def _input(view: View, block: Json) -> Html:
    element, error = block["element"], view.errors.get(block["block_id"])
    key = f"i-{view.id}-{block['block_id']}-{element['action_id']}"
    notes = {"error": error, "hint": block.get("hint", {}).get("text")}
    shown = {name: plain(text) for name, text in notes.items() if text}
    attributes: Attributes = {
        "id": key,
        "data-input": True,
        "data-block": block["block_id"],
        "data-action": element["action_id"],
        "aria-invalid": "true" if error else None,
        "aria-describedby": " ".join(f"{key}-{name}" for name in shown) or None,
    }
    optional = tag("small", None, " (optional)") if block.get("optional") else EMPTY
    value = view.state.get(block["block_id"], {}).get(element["action_id"], {}).get(value_key(element["type"]))
    return tag(
        "div",
        {"class": "block input"},
        tag("label", {"for": key}, plain(block["label"]["text"]), optional),
        _field(element, attributes, value),
        *(tag("p", {"class": name, "id": f"{key}-{name}"}, text) for name, text in shown.items()),
    )


def _field(element: Json, attributes: Attributes, value: Any) -> Html:
    """Return a text box, or a list to choose one option from."""
    placeholder = words(element["placeholder"]["text"]) if "placeholder" in element else None
    if "options" not in element:
        attributes |= {"placeholder": placeholder, "maxlength": str(element.get("max_length", 3000))}
        if element.get("multiline"):
            # HTML drops the first line end of a text area.
            return tag("textarea", attributes | {"rows": "4"}, f"\n{value or ''}")
        return tag("input", attributes | {"value": str(value or "")})
    chosen = value.get("value") if isinstance(value, dict) else None
    options = [
        tag("option", {"value": one["value"], "selected": one["value"] == chosen}, plain(one["text"]["text"]))
        for one in element["options"]
    ]
    return tag("select", attributes, tag("option", {"value": ""}, placeholder or "Select an option"), *options)


_BLOCKS: dict[str, Callable[[Surface, Json], Html]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": lambda _surface, _block: tag("hr", {"class": "block"}),
}
