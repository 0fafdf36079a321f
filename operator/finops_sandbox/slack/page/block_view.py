"""Message and view blocks as HTML, with elements that really act. Inputs of modals are in `input_view`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.page.markup import EMPTY, Html, join, tag
from finops_sandbox.slack.page.mrkdwn import mrkdwn, plain, words
from finops_sandbox.slack.state import State


@dataclass(frozen=True, slots=True)
class Surface:
    """Where blocks stand: a message in a channel, or a view. Elements carry it so that the script can act on it."""

    state: State
    key: str
    channel: str = ""
    message: str = ""
    view: str = ""

    def act(self, block: Json, element: Json) -> dict[str, str | bool | None]:
        """Return the data attributes of an element that acts."""
        return {
            "data-act": "view_action" if self.view else "click",
            "data-channel": self.channel or None,
            "data-message": self.message or None,
            "data-view": self.view or None,
            "data-block": block.get("block_id", ""),
            "data-action": element.get("action_id", ""),
        }

    def element_id(self, block: Json, element: Json) -> str:
        """Return an id that stays the same over refreshes, so that the focus stays too."""
        return f"e-{self.key}-{block.get('block_id', '')}-{element.get('action_id', '')}"


def blocks_html(surface: Surface, blocks: list[Json], inputs: Callable[[Json], Html] | None = None) -> Html:
    """Return all blocks; `inputs` renders input blocks where there can be any."""
    parts: list[Html] = []
    for block in blocks:
        kind = block.get("type")
        if kind == "input" and inputs is not None:
            parts.append(inputs(block))
        else:
            show = _BLOCKS.get(str(kind), _unknown)
            parts.append(show(surface, block))
    return join(*parts)


def text_html(surface: Surface, raw: Any) -> Html:
    """Return a text object."""
    if not isinstance(raw, dict):
        return EMPTY
    text = str(raw.get("text", ""))
    if raw.get("type") == "mrkdwn":
        return mrkdwn(surface.state, text)
    return Html("<br>".join(plain(line) for line in text.split("\n")))


def element_html(surface: Surface, block: Json, element: Json) -> Html:
    """Return one element of an actions block or an accessory."""
    show = _ELEMENTS.get(str(element.get("type")))
    return show(surface, block, element) if show else tag("span", {"class": "muted"}, f"[{element.get('type')}]")


def _section(surface: Surface, block: Json) -> Html:
    parts = []
    if "text" in block:
        parts.append(tag("div", {"class": "text"}, text_html(surface, block["text"])))
    if block.get("fields"):
        fields = [tag("div", {"class": "field"}, text_html(surface, field)) for field in block["fields"]]
        parts.append(tag("div", {"class": "fields"}, *fields))
    body = tag("div", {"class": "section-body"}, *parts)
    side = EMPTY
    if "accessory" in block:
        side = tag("div", {"class": "accessory"}, element_html(surface, block, block["accessory"]))
    return tag("div", {"class": "block section"}, body, side)


def _header(surface: Surface, block: Json) -> Html:
    return tag("h3", {"class": "block header"}, text_html(surface, block.get("text")))


def _context(surface: Surface, block: Json) -> Html:
    items = []
    for element in block.get("elements", []):
        shown = _image_element(surface, block, element) if element.get("type") == "image" else None
        items.append(tag("span", {"class": "context-item"}, shown or text_html(surface, element)))
    return tag("div", {"class": "block context"}, *items)


def _actions(surface: Surface, block: Json) -> Html:
    elements = [element_html(surface, block, element) for element in block.get("elements", [])]
    return tag("div", {"class": "block actions", "role": "group", "aria-label": "Actions"}, *elements)


def _divider(_surface: Surface, _block: Json) -> Html:
    return tag("hr", {"class": "block"})


def _image(surface: Surface, block: Json) -> Html:
    caption = text_html(surface, block["title"]) if "title" in block else None
    return tag("figure", {"class": "block"}, _image_element(surface, block, block), tag("figcaption", None, caption))


def _image_element(_surface: Surface, _block: Json, element: Json) -> Html:
    # Pictures of other hosts are not loaded: the sandbox reaches nothing but itself.
    return tag(
        "span",
        {"class": "picture", "role": "img", "aria-label": words(element.get("alt_text", ""))},
        "🖼 ",
        plain(element.get("alt_text", "")),
    )


def _markdown(surface: Surface, block: Json) -> Html:
    return tag("div", {"class": "block text"}, mrkdwn(surface.state, str(block.get("text", "")).replace("**", "*")))


def _table(surface: Surface, block: Json) -> Html:
    rows = []
    for number, row in enumerate(block.get("rows", [])):
        name = "th" if number == 0 else "td"
        cells = [tag(name, {"scope": "col"} if number == 0 else None, _cell(surface, cell)) for cell in row]
        rows.append(tag("tr", None, *cells))
    return tag("div", {"class": "block table-scroll", "tabindex": "0"}, tag("table", None, *rows))


def _cell(surface: Surface, cell: Json) -> Html:
    if cell.get("type") == "rich_text":
        return _rich_text(surface, cell)
    return plain(str(cell.get("text", cell.get("value", ""))))


def _rich_text(surface: Surface, block: Json) -> Html:
    parts = []
    for element in block.get("elements", []):
        inner = [_rich_piece(surface, piece) for piece in element.get("elements", [])]
        kind = element.get("type")
        if kind == "rich_text_list":
            items = [tag("li", None, _rich_text(surface, {"elements": [item]})) for item in element.get("elements", [])]
            parts.append(tag("ol" if element.get("style") == "ordered" else "ul", None, *items))
        elif kind == "rich_text_preformatted":
            parts.append(tag("pre", None, *inner))
        elif kind == "rich_text_quote":
            parts.append(tag("blockquote", None, *inner))
        else:
            parts.append(tag("div", None, *inner))
    return tag("div", {"class": "block text"}, *parts)


def _rich_piece(surface: Surface, piece: Json) -> Html:
    kind = piece.get("type")
    if kind == "link":
        return mrkdwn(surface.state, f"<{piece.get('url', '')}|{piece.get('text') or piece.get('url', '')}>")
    if kind in {"user", "channel", "usergroup"}:
        sign = {"user": "@", "channel": "#", "usergroup": "!subteam^"}[str(kind)]
        return mrkdwn(surface.state, f"<{sign}{piece.get(f'{kind}_id', '')}>")
    if kind == "emoji":
        return plain(f":{piece.get('name', '')}:")
    shown: Html = Html("<br>".join(plain(line) for line in str(piece.get("text", "")).split("\n")))
    for style, name in (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code")):
        if piece.get("style", {}).get(style):
            shown = tag(name, None, shown)
    return shown


def _unknown(_surface: Surface, block: Json) -> Html:
    return tag("div", {"class": "block muted"}, f"[block of type {block.get('type')}]")


def _button(surface: Surface, block: Json, element: Json) -> Html:
    element_id = surface.element_id(block, element)
    style = element.get("style", "")
    attributes: dict[str, str | bool | None] = {
        "type": "button",
        "id": element_id,
        "class": f"button {style}".strip(),
        "aria-label": words(element["accessibility_label"]) if "accessibility_label" in element else None,
        "data-url": element.get("url"),
    }
    dialog = _dialog(surface, block, element)
    attributes |= {"data-dialog": f"{element_id}-dialog"} if dialog else surface.act(block, element)
    return join(tag("button", attributes, text_html(surface, element.get("text"))), dialog)


def _dialog(surface: Surface, block: Json, element: Json) -> Html:
    """Return the confirmation of an element as a dialog of its own, or nothing."""
    confirm = element.get("confirm")
    if not confirm:
        return EMPTY
    element_id = surface.element_id(block, element)
    style = confirm.get("style", "primary")
    yes: dict[str, str | bool | None] = {"type": "button", "class": f"button {style}", "data-confirm": "true"}
    return tag(
        "dialog",
        {"id": f"{element_id}-dialog", "class": "confirm", "aria-labelledby": f"{element_id}-title"},
        tag("h2", {"id": f"{element_id}-title"}, text_html(surface, confirm.get("title"))),
        tag("div", {"class": "dialog-text"}, text_html(surface, confirm.get("text"))),
        tag(
            "div",
            {"class": "dialog-buttons"},
            tag(
                "button",
                {"type": "button", "class": "button", "data-close": True},
                text_html(surface, confirm.get("deny")),
            ),
            tag("button", yes | surface.act(block, element), text_html(surface, confirm.get("confirm"))),
        ),
    )


def _overflow(surface: Surface, block: Json, element: Json) -> Html:
    element_id = surface.element_id(block, element)
    dialog = _dialog(surface, block, element)
    act: dict[str, str | bool | None] = surface.act(block, element)
    if dialog:
        act = {"data-dialog": f"{element_id}-dialog"}
    items = []
    for option in element.get("options", []):
        attributes: dict[str, str | bool | None] = {
            "type": "button",
            "data-option": option["value"],
            "data-url": option.get("url"),
        }
        note = tag("small", None, text_html(surface, option["description"])) if "description" in option else EMPTY
        items.append(tag("li", None, tag("button", attributes | act, text_html(surface, option["text"]), note)))
    summary = tag("summary", {"class": "button more", "id": element_id, "aria-label": "More actions"}, "⋯")
    return join(tag("details", {"class": "overflow"}, summary, tag("ul", None, *items)), dialog)


def _select(surface: Surface, block: Json, element: Json) -> Html:
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    label = words(element.get("placeholder", {}).get("text", "Choose"))
    options = [tag("option", {"value": ""}, label)]
    options += [
        tag("option", {"value": option["value"]}, plain(option["text"]["text"]))
        for group in groups
        for option in group["options"]
    ]
    attributes: dict[str, str | bool | None] = {"id": surface.element_id(block, element), "aria-label": label}
    return tag("select", attributes | surface.act(block, element), *options)


_BLOCKS: dict[str, Callable[[Surface, Json], Html]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
}
_ELEMENTS: dict[str, Callable[[Surface, Json, Json], Html]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _select,
    "image": _image_element,
}
