"""Pictures inside a page, light where the page is light and dark where it is dark."""

from __future__ import annotations

import re
from base64 import b64encode

from em_cli.reports.html import Html, tag
from em_cli.reports.kind import Picture
from em_cli.reports.picture import rendered
from em_cli.reports.style import DARK, LIGHT, Theme

LARGEST = 300_000  # characters of a drawing; one that has more is shown by its points
LARGE = 75.0  # square inches, that hold too many anyway
DPI = 110
COARSE = 80  # of large pictures
COLOUR = re.compile(r"(#[0-9a-f]{6}\b|<image [^>]*/>)")
Colours = dict[tuple[str, str], str]  # the names of those that are one in the light and another in the dark


def inlined(picture: Picture, number: int, colours: Colours) -> Html:
    """A figure with its caption; the colours that it adds are to be named in the style of the page.

    It is drawn with lines and letters, if these are not too many, and else with points.
    """
    wide, high = picture.size
    if wide * high > LARGE:
        shown = _points(picture, COARSE)
    else:
        shown = _drawing(picture, number, colours) or _points(picture, DPI)
    return Html(tag("figure", shown, tag("figcaption", picture.caption), id=f"picture-{picture.kind}") + "\n")


def _drawing(picture: Picture, number: int, colours: Colours) -> Html | None:
    """As lines and letters; None if these are too many, or if the two schemes differ in more than colours."""
    light = _cleaned(_drawn(picture, LIGHT), number)
    if len(light) > LARGEST:
        return None
    parts, others = COLOUR.split(light), COLOUR.split(_cleaned(_drawn(picture, DARK), number))
    if parts[::2] != others[::2]:
        return None
    for place in range(1, len(parts), 2):
        one, other = parts[place], others[place]
        if one.startswith("<image"):
            parts[place] = one.replace("<image", '<image class="light"') + other.replace(
                "<image", '<image class="dark"'
            )
        elif one != other:
            parts[place] = f"var({colours.setdefault((one, other), f'--c{len(colours)}')})"
    wide, high = picture.size
    title, described = f"title-{number}", f"described-{number}"
    return tag(
        "svg",
        tag("title", picture.title, id=title),
        tag("desc", picture.alt, id=described),
        Html("".join(parts)),
        viewBox=f"0 0 {72 * wide:g} {72 * high:g}",
        role="img",
        aria_labelledby=f"{title} {described}",
        style=f"max-width: {wide:g}in",
    )


def _drawn(picture: Picture, theme: Theme) -> str:
    return rendered(picture, theme, "svg", DPI, letters=True).decode()


def _cleaned(text: str, number: int) -> str:
    """What is within the svg element, without addresses, with names of its own and no more digits than are seen."""
    text = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = text.replace("xlink:href", "href").replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    names = {name: f"p{number}-{place}" for place, name in enumerate(re.findall(r' id="([^"]+)"', text))}
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    kept = {name for pair in used for name in pair if name}
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{names[m[1]]}"' if m[1] in kept else "", text)
    text = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{names.get(m[1], m[1])})", text)
    text = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{names.get(m[1], m[1])}"', text)
    text = re.sub(r' (d|x|y|transform|points)="([^"]*)"', lambda m: f' {m[1]}="{_rounded(m[2])}"', text)
    return re.sub(r">\s+<", "><", text)


def _rounded(numbers: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"(\.\d\d)\d+", r"\1", numbers)).strip()


def _points(picture: Picture, dpi: int) -> Html:
    """As a picture of points for each scheme."""
    wide, high = picture.size
    images = [
        tag(
            "img",
            src=f"data:image/png;base64,{b64encode(rendered(picture, theme, 'png', dpi)).decode()}",
            alt=f"{picture.title}. {picture.alt}",
            class_=theme.name,
            width=f"{round(96 * wide)}",
            height=f"{round(96 * high)}",
        )
        for theme in (LIGHT, DARK)
    ]
    return Html("".join(images))
