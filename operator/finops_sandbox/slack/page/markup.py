"""HTML that is safe by construction: everything that is not `Html` already is escaped when it becomes part of it."""

from html import escape


class Html(str):
    """Text that is markup and may stand as it is."""

    __slots__ = ()


Part = str | Html | None
Attributes = dict[str, str | bool | None]
EMPTY = Html("")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


def tag(name: str, attributes: Attributes | None = None, *parts: Part) -> Html:
    """Return an element. A None or False attribute is left out, a True one stands without value."""
    opened = [name]
    for key, value in (attributes or {}).items():
        if value is True:
            opened.append(key)
        elif value is not None and value is not False:
            opened.append(f'{key}="{escape(value)}"')
    start = f"<{' '.join(opened)}>"
    return Html(start) if name in _VOID else Html(f"{start}{join(*parts)}</{name}>")


def join(*parts: Part) -> Html:
    """Put parts one after the other; plain strings are escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts if part is not None))
