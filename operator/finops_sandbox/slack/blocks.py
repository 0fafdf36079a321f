"""Block Kit's limits on messages and views, and how Slack stores blocks.

Figures: docs.slack.dev/reference/block-kit/blocks; the limit on a whole message is not documented but observed
(github.com/slackapi/bolt-js/issues/2509). A block type not listed here is refused, as Slack refuses unknown ones.
Called by the chat and views methods; the bot's golden cards may be checked with it too.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from finops_sandbox.slack.elements import Findings, check_element, check_image
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.text import escape

MESSAGE_BLOCKS_MAX = 50
VIEW_BLOCKS_MAX = 100
MESSAGE_CHARACTERS_MAX = 13_200
VIEW_BYTES_MAX = 250_000
MARKDOWN_CHARACTERS_MAX = 12_000


def check_message(blocks: Any, *, update: bool = False) -> list[str]:
    """Return what is wrong with a message's blocks, as Slack words it; empty if nothing.

    On an update the stored, escaped length counts for every text: what a post accepts may be too long to update.
    """
    found = Findings(count_escaped=update)
    _check_blocks(found, blocks, MESSAGE_BLOCKS_MAX, surface="message")
    return found.messages


def message_characters(blocks: list[Json]) -> int:
    """Return the characters of all texts in the blocks, as stored; above 13,200 Slack says msg_blocks_too_long."""
    return sum(len(escape(text, mrkdwn=mrkdwn)) for text, mrkdwn in _texts(blocks))


def check_view(view: Any) -> list[str]:
    """Return what is wrong with a modal or App Home; empty if nothing. Size is checked apart (`view_bytes`)."""
    found = Findings(count_escaped=False)
    if not isinstance(view, dict):
        found.add("/view", "must be an object")
        return found.messages
    kind = view.get("type")
    if kind not in {"modal", "home"}:
        found.add("/view/type", "must be modal or home")
        return found.messages
    for key, limit in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        found.string(view, key, "/view", limit)
    blocks = view.get("blocks")
    if kind == "modal":
        found.text(view.get("title"), "/view/title", 24, plain=True)
        for key in ("submit", "close"):
            if view.get(key) is not None:
                found.text(view[key], f"/view/{key}", 24, plain=True)
        has_input = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if has_input and view.get("submit") is None:
            found.add("/view", "missing required field: submit (the view has input blocks)")
    _check_blocks(found, blocks, VIEW_BLOCKS_MAX, surface=kind, root="/view/blocks")
    return found.messages


def view_bytes(view: Json) -> int:
    """Return a view's size in bytes of compact JSON; above 250,000 Slack says view_too_large."""
    return len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode())


def stored(blocks: list[Json], source: random.Random) -> list[Json]:
    """Return the blocks as Slack keeps them: missing ids filled in, texts escaped and completed."""
    kept = copy.deepcopy(blocks)
    for block in kept:
        block.setdefault("block_id", _short_id(source))
        for element in _elements(block):
            if element.get("type") not in {"image", "plain_text", "mrkdwn"}:
                element.setdefault("action_id", _short_id(source))
        _store_texts(block)
    return kept


def interactive(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield (block, element) for everything in the blocks that a person can click or fill in."""
    for block in blocks:
        for element in _elements(block):
            if "action_id" in element:
                yield block, element


def _elements(block: Json) -> list[Json]:
    single = [block[key] for key in ("accessory", "element") if isinstance(block.get(key), dict)]
    many = block.get("elements") if block.get("type") in {"actions", "context"} else None
    return single + [item for item in many or [] if isinstance(item, dict)]


def _short_id(source: random.Random) -> str:
    return "".join(source.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=5))


def _store_texts(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _store_texts(item)
    elif isinstance(value, dict):
        kind = value.get("type")
        if kind in {"plain_text", "mrkdwn"} and isinstance(value.get("text"), str):
            value["text"] = escape(value["text"], mrkdwn=kind == "mrkdwn")
            value.setdefault("emoji" if kind == "plain_text" else "verbatim", kind == "plain_text")
        for key, item in value.items():
            if key != "value":
                _store_texts(item)


def _texts(value: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        text = value.get("text")
        if isinstance(text, str):
            yield text, value.get("type") == "mrkdwn"
        for item in value.values():
            yield from _texts(item)


def _check_blocks(found: Findings, blocks: Any, limit: int, *, surface: str, root: str = "/blocks") -> None:
    if not isinstance(blocks, list):
        found.add(root, "must be an array")
        return
    if len(blocks) > limit:
        found.add(root, f"no more than {limit} items allowed")
    seen: set[str] = set()
    markdown_total = tables = 0
    for index, block in enumerate(blocks):
        pointer = f"{root}/{index}"
        if not isinstance(block, dict):
            found.add(pointer, "must be an object")
            continue
        kind = block.get("type")
        check = _BLOCKS.get(kind) if isinstance(kind, str) else None
        if check is None or (kind in {"markdown", "table"} and surface != "message"):
            found.add(f"{pointer}/type", f"unsupported type: {kind}")
            continue
        found.string(block, "block_id", pointer, 255)
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                found.add(f"{pointer}/block_id", f"block_id must be unique: {block_id}")
            seen.add(block_id)
        _unique_actions(found, block, pointer)
        check(found, block, pointer)
        markdown_total += len(str(block.get("text", ""))) if kind == "markdown" else 0
        tables += kind == "table"
    if markdown_total > MARKDOWN_CHARACTERS_MAX:
        found.add(root, f"markdown must be less than {MARKDOWN_CHARACTERS_MAX + 1} characters in all")
    if tables > 1:
        found.add(root, "only_one_table_allowed")


def _unique_actions(found: Findings, block: Json, pointer: str) -> None:
    seen: set[str] = set()
    for element in _elements(block):
        action_id = element.get("action_id")
        if isinstance(action_id, str):
            if action_id in seen:
                found.add(pointer, f"action_id must be unique within its block: {action_id}")
            seen.add(action_id)


def _section(found: Findings, block: Json, pointer: str) -> None:
    if "text" not in block and "fields" not in block:
        found.add(pointer, "missing required field: text or fields")
    if "text" in block:
        found.text(block["text"], f"{pointer}/text", 3000)
    if "fields" in block:
        for index, field in enumerate(found.items(block, "fields", pointer, 10)):
            found.text(field, f"{pointer}/fields/{index}", 2000)
    if "accessory" in block:
        check_element(found, block["accessory"], f"{pointer}/accessory", "section")


def _header(found: Findings, block: Json, pointer: str) -> None:
    found.text(block.get("text"), f"{pointer}/text", 150, plain=True)


def _context(found: Findings, block: Json, pointer: str) -> None:
    for index, element in enumerate(found.items(block, "elements", pointer, 10)):
        where = f"{pointer}/elements/{index}"
        if isinstance(element, dict) and element.get("type") in {"plain_text", "mrkdwn"}:
            # Context texts have no limit of their own in the docs; the section's is what Slack applies.
            found.text(element, where, 3000)
        else:
            check_element(found, element, where, "context")


def _actions(found: Findings, block: Json, pointer: str) -> None:
    for index, element in enumerate(found.items(block, "elements", pointer, 25)):
        check_element(found, element, f"{pointer}/elements/{index}", "actions")


def _input(found: Findings, block: Json, pointer: str) -> None:
    found.text(block.get("label"), f"{pointer}/label", 2000, plain=True)
    if "hint" in block:
        found.text(block["hint"], f"{pointer}/hint", 2000, plain=True)
    check_element(found, block.get("element"), f"{pointer}/element", "input")


def _divider(_found: Findings, _block: Json, _pointer: str) -> None:
    """A divider has nothing but its id."""


def _image(found: Findings, block: Json, pointer: str) -> None:
    check_image(found, block, pointer)
    if "title" in block:
        found.text(block["title"], f"{pointer}/title", 2000, plain=True)


def _markdown(found: Findings, block: Json, pointer: str) -> None:
    found.string(block, "text", pointer, MARKDOWN_CHARACTERS_MAX, required=True)


def _rich_text(found: Findings, block: Json, pointer: str) -> None:
    found.items(block, "elements", pointer, 1000, least=0)


def _table(found: Findings, block: Json, pointer: str) -> None:
    for index, row in enumerate(found.items(block, "rows", pointer, 100)):
        if not isinstance(row, list) or len(row) > 20:
            found.add(f"{pointer}/rows/{index}", "no more than 20 items allowed")


_BLOCKS: dict[str, Callable[[Findings, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "divider": _divider,
    "image": _image,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
}
