"""HTML in which every word from outside is escaped, because only what is made here is taken as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

from em_cli.printable import safe

VOID = ("meta", "img", "col")
PLAIN = ("title",)  # elements that hold no others
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")  # a browser would end a line behind any of its signs


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Html | None


def text(words: str) -> Html:
    """Words from anywhere: nothing of them is markup, no control character is left of them."""
    return words if isinstance(words, Html) else Html(escape(safe(words)))


def join(children: Iterable[Child]) -> Html:
    return Html("".join(_with_whole_options(child) for child in children if child is not None))


def _with_whole_options(words: str) -> Html:
    if isinstance(words, Html):
        return words
    return Html(OPTION.sub(r'<span class="whole">\g<0></span>', text(words)))


def tag(name: str, /, *children: Child, **attributes: str | None) -> Html:
    """An element; `class_` is the attribute class, and so on, and those that are None are left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{given}>")
    inside = join(text(child) for child in children if child is not None) if name in PLAIN else join(children)
    return Html(f"<{name}{given}>{inside}</{name}>")


def paragraph(*children: Child) -> Html:
    return tag("p", *children)


def bullets(items: Sequence[Child]) -> Html | None:
    return tag("ul", *(tag("li", item) for item in items)) if items else None


def section(heading: str, *children: Child) -> Html:
    """A part of the page that can be pointed to."""
    return Html(tag("section", tag("h2", heading), *children, id=anchor(heading)) + "\n")


def anchor(heading: str) -> str:
    return re.sub(r"[^a-z]+", "-", heading.lower()).strip("-")


def table(caption: str, headings: Sequence[Child], rows: Iterable[Sequence[Child]], class_: str | None = None) -> Html:
    """Of which the first cell of a row is its heading; on a narrow screen each cell tells its own."""
    heads = [re.sub(r"<[^>]*>", "", text(heading)) if heading is not None else "" for heading in headings]
    head = tag("tr", *(tag("th", heading, scope="col") for heading in headings))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(tag("td", cell, data_head=Html(of)) for cell, of in zip(row[1:], heads[1:], strict=True)),
        )
        for row in rows
    ]
    made = tag("table", tag("caption", tag("span", caption)), tag("thead", head), tag("tbody", *body), class_=class_)
    return tag("div", made, class_="wide", tabindex="0", role="region", aria_label=caption)


def split_table(
    caption: str,
    headings: Sequence[Child],
    rows: Sequence[Sequence[Child]],
    fixed: int,
    most: int,
    class_: str | None = None,
) -> Html:
    """A table as several of at most so many columns, which paper can hold; each begins with the fixed ones."""
    n = len(headings) - fixed
    parts = max(1, -(-n // most))
    bounds = [fixed + n * part // parts for part in range(parts + 1)]
    made = []
    for place, (first, stop) in enumerate(pairwise(bounds), 1):
        some = [[*row[:fixed], *row[first:stop]] for row in rows]
        of = f" ({place} of {parts})" if parts > 1 else ""
        made.append(table(f"{caption}{of}", [*headings[:fixed], *headings[first:stop]], some, class_))
    return join(made)


def figure_of(value: float, shown: str) -> Html:
    """A number as it is shown, with all its digits beneath."""
    return tag("data", shown, value=repr(value))
