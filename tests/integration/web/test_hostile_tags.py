"""Ten thousand hostile strings in tags stay text: on the page of each resource, in lists and in data."""

from __future__ import annotations

import random
from html.parser import HTMLParser
from typing import Final

import pytest
from tests.support.web_estate import Site, StoredScan, priced, resource

from finops.store.connection import Store

RESOURCES: Final = 250
TAGS: Final = 40
"""Each with a key and a value of its own; AWS allows 50 tags."""
FRAGMENTS: Final = (
    *(
        "<script>alert(1)</script>",
        "</td></tr></table>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<!--",
    ),
    *(
        "-->",
        "<![CDATA[",
        "]]>",
        "</textarea>",
        "</title>",
        "</style>",
        "<iframe src=//e.example>",
        "<a href=//e>",
        "<",
    ),
    *('"', "'", "`", ">", "&", "&lt;", "&#60;", "&amp;quot;", '" autofocus onfocus=alert(1) x="', "' style='x:y"),
    *("javascript:alert(1)", "data:text/html,<b>", "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "%3Cscript%3E"),
    *(
        "\\u003cscript\\u003e",
        "=HYPERLINK(0)",
        "+1",
        "@SUM(1)",
        "<<script>script>",
        "<scr\u200bipt>",
        "\u202e<gpj.exe",
        "Ａ＜ｂ＞",
        "\ufeff<",
        "😀</p>",
    ),
)


def hostile_words(count: int) -> list[str]:
    """Return as many different strings of one to four fragments, as long as a tag's key may be at most."""
    chance, found = random.Random(10), dict[str, None]()
    while len(found) < count:
        word = "".join(chance.choice(FRAGMENTS) for _ in range(chance.randint(1, 4))) + str(len(found))
        if len(word) <= 128:
            found[word] = None
    return list(found)


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and its text apart from them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.texts: list[str] = []
        self.others = 0
        self.source = page
        self.feed(page)
        self.close()
        self.text = "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others += 1

    def unknown_decl(self, data: str) -> None:
        self.others += 1


@pytest.mark.timeout(300)
def test_ten_thousand_hostile_strings_in_tags_stay_text(site: Site, store: Store) -> None:
    words = hostile_words(RESOURCES * TAGS)
    kept = {
        f"i-{number}": dict(zip(words[at : at + TAGS // 2], words[at + TAGS // 2 : at + TAGS], strict=True))
        for number, at in enumerate(range(0, len(words), TAGS))
    }
    plain = {f"key-{number}": "value" for number in range(TAGS // 2)}
    rows = {name: (resource("ec2-instance", name, name=name, tags=tags), priced("0.1")) for name, tags in kept.items()}
    rows["plain"] = (resource("ec2-instance", "plain", name="plain", tags=plain), priced("0.1"))
    StoredScan(store).write(rows)
    client, headers = site.client(store), site.bearer()

    def shape(path: str) -> Shape:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, path
        return Shape(answer.text)

    wanted = shape("/resources/ec2-instance/plain")
    for name, tags in kept.items():
        found = shape(f"/resources/ec2-instance/{name}")
        assert (found.elements, found.others) == (wanted.elements, wanted.others), name
        assert [one for pair in tags.items() for one in pair if one not in found.text] == [], name

    listed = shape("/resources?find=plain&columns=name&columns=tags").elements
    cursor, seen = "", dict[str, dict[str, str]]()
    while True:
        body = client.get(f"/api/resources?limit=100&cursor={cursor}", headers=headers).json()
        seen |= {one["id"]: one["tags"] for one in body["data"]}
        cursor = body["meta"]["next"]
        if not cursor:
            break
    assert seen == {**kept, "plain": plain}
    page = shape("/resources?columns=name&columns=tags")
    assert {name for name, _ in page.elements} <= {name for name, _ in listed}
    assert page.others == 0
    shown = [tags for name, tags in kept.items() if f">{name}<" in page.source]
    assert len(shown) >= 50
    assert [word for tags in shown for word in tags if word not in page.text] == []
