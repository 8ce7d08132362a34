"""Pictures inside a page, light where the page is light and dark where it is dark."""

from __future__ import annotations

import re
from base64 import b64encode

from em_cli.reports.html import Html, tag
from em_cli.reports.kind import Picture
from em_cli.reports.picture import rendered
from em_cli.reports.style import DARK, LIGHT, Theme, coded, decoded

LARGEST = 300_000  # characters of a drawing; one that has more is shown by its points
LARGE = 75.0  # square inches, that hold too many anyway
DPI = 110
COARSE = 80  # of large pictures
IMAGE = re.compile(r"<image [^>]*/>")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
Colours = dict[tuple[str, str], str]  # the names of those that are one in the light and another in the dark


def inlined(picture: Picture, number: int, colours: Colours) -> Html:
    """A figure with its caption for a title; the colours that it adds are to be named in the style of the page.

    It is drawn with lines and letters, if these are not too many, and else with points.
    """
    wide, high = picture.size
    if wide * high > LARGE:
        shown = _points(picture, COARSE)
    else:
        shown = _drawing(picture, number, colours) or _points(picture, DPI)
    return Html(tag("figure", shown, tag("figcaption", picture.caption), id=f"picture-{picture.kind}") + "\n")


def _drawing(picture: Picture, number: int, colours: Colours) -> Html | None:
    """As lines and letters, drawn once for both schemes; None if these are too many.

    What is shown by points within it is drawn for each scheme.
    """
    drawn = _drawn(picture, coded(), number)
    if len(drawn) > LARGEST:
        return None
    if IMAGE.search(drawn):
        points = [IMAGE.findall(_drawn(picture, theme, number)) for theme in (LIGHT, DARK)]
        both = iter(zip(*points, strict=True))
        drawn = IMAGE.sub(lambda _: "".join(map(_of_scheme, next(both), ("light", "dark"))), drawn)

    def named(code: re.Match[str]) -> str:
        one, other = decoded(code[0], LIGHT), decoded(code[0], DARK)
        return one if one == other else f"var({colours.setdefault((one, other), f'--c{len(colours)}')})"

    wide, high = picture.size
    title, described = f"title-{number}", f"described-{number}"
    return tag(
        "svg",
        tag("title", picture.title, id=title),
        tag("desc", picture.alt, id=described),
        Html(COLOUR.sub(named, drawn)),
        viewBox=f"0 0 {72 * wide:g} {72 * high:g}",
        preserveAspectRatio="xMinYMin",
        role="img",
        aria_labelledby=f"{title} {described}",
        style=f"max-width: {wide:g}in",
    )


def _drawn(picture: Picture, theme: Theme, number: int) -> str:
    return _cleaned(rendered(picture, theme, "svg", DPI, letters=True, title="").decode(), number)


def _of_scheme(image: str, scheme: str) -> str:
    return image.replace("<image", f'<image class="{scheme}"')


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
            src=f"data:image/png;base64,{b64encode(rendered(picture, theme, 'png', dpi, title='')).decode()}",
            alt=f"{picture.title}. {picture.alt}",
            class_=theme.name,
            width=f"{round(96 * wide)}",
            height=f"{round(96 * high)}",
        )
        for theme in (LIGHT, DARK)
    ]
    return Html("".join(images))
