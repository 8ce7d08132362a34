"""A page of HTML as a reader with rules would read it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of those that are of interest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []  # innermost element and words
        self.open: list[str] = []
        self.feed(re.sub(r'<span class="whole">([^<]*)</span>', r"\1", text))  # options, of which no line ends within
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        assert len({name for name, _ in attributes}) == len(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> within {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def said(self, *tags):
        return [text for tag, text in self.texts if not tags or tag in tags]

    @property
    def words(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style")


def check(page: Page) -> None:
    """Nothing from elsewhere, no script, and every rule of accessibility that can be checked by rule."""
    names = {tag for tag, _ in page.elements}
    assert not names & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "foreignobject",
        "audio",
        "video",
    }
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert value is not None, (tag, name)
            if name in ("href", "src", "xlink:href", "action", "data", "srcset", "poster"):
                assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value[:60])
            if name == "style":
                assert re.findall(r"url\((?!#)", value) == [], value
    assert not re.search(r"https?:|//|@import|url\((?!#)|expression", "".join(page.said("style")))
    assert page.source.startswith("<!DOCTYPE html>\n") and page.elements[0] == ("html", {"lang": "en"})
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        pointed = (attributes.get("aria-labelledby") or "").split()
        if (attributes.get("href") or "").startswith("#"):
            pointed.append(attributes["href"][1:])
        assert set(pointed) <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption")) == len(page.all("thead"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    assert all(attributes.get("alt") for attributes in page.all("img"))
    drawings = page.all("svg")
    assert all(a["role"] == "img" and len((a["aria-labelledby"] or "").split()) == 2 for a in drawings)
    assert len(page.all("figcaption")) == len(page.all("figure")) == len(drawings) + len(page.all("img")) // 2
    assert len(page.source.encode()) < 3_000_000
