"""Modals as HTML: title, blocks, inputs with labels, hints and errors, Submit and Close."""

from typing import Any

from finops_sandbox.slack.model import Json, View
from finops_sandbox.slack.page.block_view import Surface, blocks_html
from finops_sandbox.slack.page.markup import EMPTY, Html, join, tag
from finops_sandbox.slack.page.mrkdwn import plain, words
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api.views import value_key

Attributes = dict[str, str | bool | None]
_INPUT_TYPES = {
    "plain_text_input": "text",
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
    "datepicker": "date",
    "timepicker": "time",
}


def modal_html(state: State, view: View, depth: int) -> Html:
    """Return the person's top modal as a dialog the script opens; `data-version` tells when it changed."""
    body = view.body
    surface = Surface(state, f"v-{view.id}", view=view.id)
    version = f"{view.id}:{view.hash}:{sorted(view.errors.items())}"
    general = view.errors.get("")
    content = blocks_html(surface, body.get("blocks", []), lambda block: _input(view, block))
    close = plain((body.get("close") or {"text": "Cancel" if body.get("submit") else "Close"})["text"])
    buttons = [tag("button", {"type": "button", "class": "button", "data-act": "close_view"}, close)]
    if body.get("submit"):
        submit = plain(body["submit"]["text"])
        buttons.append(tag("button", {"type": "submit", "class": "button primary"}, submit))
    title = plain(body.get("title", {}).get("text", ""))
    back = tag("span", {"class": "muted"}, f"{depth} of 3 open") if depth > 1 else EMPTY
    corner: Attributes = {"type": "button", "class": "icon", "data-act": "close_view", "aria-label": "Close"}
    return tag(
        "dialog",
        {"class": "modal", "data-version": version, "data-view": view.id, "aria-labelledby": "modal-title"},
        tag(
            "form",
            {"data-act": "submit_view", "data-view": view.id, "novalidate": True},
            tag("header", None, tag("h2", {"id": "modal-title"}, title), back, tag("button", corner, "✕")),
            tag("div", {"class": "modal-body"}, _alert(general), content),
            tag("footer", None, *buttons),
        ),
    )


def _alert(text: str | None) -> Html:
    return tag("p", {"class": "error", "role": "alert"}, text) if text else EMPTY


def _input(view: View, block: Json) -> Html:
    element = block["element"]
    block_id, action_id = block["block_id"], element["action_id"]
    element_id = f"i-{view.id}-{block_id}-{action_id}"
    error = view.errors.get(block_id)
    value = view.state.get(block_id, {}).get(action_id, {}).get(value_key(element["type"]))
    described = [f"{element_id}-error"] if error else []
    described += [f"{element_id}-hint"] if "hint" in block else []
    attributes: Attributes = {
        "id": element_id,
        "data-input": True,
        "data-block": block_id,
        "data-action": action_id,
        "aria-invalid": "true" if error else None,
        "aria-describedby": " ".join(described) or None,
    }
    label = join(plain(block["label"]["text"]), tag("small", None, " (optional)") if block.get("optional") else None)
    below = join(
        tag("p", {"class": "error", "id": f"{element_id}-error", "role": "alert"}, plain(error)) if error else None,
        tag("p", {"class": "hint", "id": f"{element_id}-hint"}, plain(block["hint"]["text"]))
        if "hint" in block
        else None,
    )
    if element["type"] in {"radio_buttons", "checkboxes"}:
        choices = _choices(element, attributes, element_id, value)
        return tag("fieldset", {"class": "block input"}, tag("legend", None, label), choices, below)
    return tag(
        "div",
        {"class": "block input"},
        tag("label", {"for": element_id}, label),
        _field(element, attributes, value),
        below,
    )


def _field(element: Json, attributes: Attributes, value: Any) -> Html:
    kind = element["type"]
    placeholder = words(element["placeholder"]["text"]) if "placeholder" in element else None
    if kind == "plain_text_input" and element.get("multiline"):
        extra: Attributes = {"rows": "4", "placeholder": placeholder, "maxlength": str(element.get("max_length", 3000))}
        return tag(
            "textarea", attributes | extra, "\n" if str(value or "").startswith("\n") else None, str(value or "")
        )
    if kind in _INPUT_TYPES:
        extra = {"type": _INPUT_TYPES[kind], "placeholder": placeholder, "value": str(value or "")}
        return tag("input", attributes | extra)
    multiple = kind.startswith("multi_")
    chosen = {option["value"] for option in (value if isinstance(value, list) else [value]) if isinstance(option, dict)}
    options = [] if multiple else [tag("option", {"value": ""}, placeholder or "Select an option")]
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    for group in groups:
        shown = [
            tag("option", {"value": o["value"], "selected": o["value"] in chosen}, plain(o["text"]["text"]))
            for o in group["options"]
        ]
        named = {"label": words(group["label"]["text"])} if "label" in group else None
        options.append(tag("optgroup", dict(named), *shown) if named else join(*shown))
    return tag("select", attributes | {"multiple": multiple}, *options)


def _choices(element: Json, attributes: Attributes, element_id: str, value: Any) -> Html:
    chosen = {option["value"] for option in (value if isinstance(value, list) else [value]) if isinstance(option, dict)}
    kind = "radio" if element["type"] == "radio_buttons" else "checkbox"
    rows = []
    for index, option in enumerate(element.get("options", [])):
        own: Attributes = {
            "type": kind,
            "id": f"{element_id}-{index}",
            "name": element_id,
            "value": option["value"],
            "checked": option["value"] in chosen,
        }
        note = tag("small", None, plain(option["description"]["text"])) if "description" in option else None
        text = tag("span", None, plain(option["text"]["text"]), note)
        rows.append(tag("label", {"class": "choice"}, tag("input", attributes | own), text))
    return join(*rows)
