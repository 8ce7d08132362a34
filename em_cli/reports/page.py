"""A run as one page of HTML that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from em_cli.documents.manifest_json import Manifest
from em_cli.reports import answer, page_tables, provenance, trust
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, anchor, join, paragraph, section, tag
from em_cli.reports.inline import Colours, inlined
from em_cli.reports.kind import Picture
from em_cli.reports.pairs import Pairs
from em_cli.reports.picture import pictures_of
from em_cli.reports.separation import most_separating
from em_cli.reports.style import short
from em_cli.reports.stylesheet import SHEET, schemes
from em_cli.reports.unlikely import unlikely
from em_cli.sources.quoting import plural

MOST_ROWS = 5000  # are shown in pictures
MOST_PAIRED = 5  # columns two by two
Part = tuple[str, list[Child]]  # heading and contents
SHOWN_IN = {
    "What the components look like": (
        "density", "scatter", "pairs", "discriminant", "profile", "frequencies", "levels", "items", "sizes",
        "states", "transitions", "durations",
    ),
    "Which model": ("criterion", "tests"),
    "How far to trust it": ("intervals", "bootstrap", "responsibilities", "uncertainty", "qq", "residuals"),
    "The search": ("trace",),
}  # fmt: skip


def page(run: FinishedRun, ending: str, trusted: str) -> Iterator[str]:
    """The whole page; how the climb ended and how far the search is to be trusted are given in words."""
    colours: Colours = {}
    some = replace(run, rows=run.shown.some(MOST_ROWS))
    pictures = {picture.kind: picture for picture in pictures_of(some)} | _fewer_pairs(some)
    drawn = {kind: inlined(picture, number, colours) for number, (kind, picture) in enumerate(pictures.items())}

    def of(heading: str) -> list[Child]:
        return [drawn[kind] for kind in SHOWN_IN[heading] if kind in drawn]

    parts: list[Part] = [
        ("In short", [answer.sentences(run, trusted), _first(pictures, drawn)]),
        ("What was asked and read", [provenance.asked(run)]),
        ("What the components look like", [page_tables.components(run), *of("What the components look like")]),
    ]
    if run.selection or "tests" in drawn:
        table = page_tables.selection(run) if run.selection else None
        parts.append(("Which model", [table, *of("Which model")]))
    parts.append(
        ("How far to trust it", [trust.section_of(run), paragraph(trust.small_print(run)), *of("How far to trust it")])
    )
    if rows := unlikely(run):
        parts.append(("Least likely rows", rows))
    parts.append(
        (
            "The search",
            [_search(run, ending, trusted), page_tables.ledger(run) if run.restarts else None, *of("The search")],
        )
    )
    if said := trust.warnings(run):
        parts.append(("Warnings", [said]))
    parts.append(("How to reproduce this", [provenance.reproduce(run)]))
    title = f"{plural(run.k, 'component')} in {short(run.data_name, 60)}"
    yield from framed(title, _subtitle(run), parts, SHEET + schemes(colours, run.k), run.manifest)


def framed(
    title: str, subtitle: str, parts: Sequence[Part], style: str, manifest: Mapping[str, object]
) -> Iterator[str]:
    """A page of HTML with these parts, and links to them."""
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en">\n'
    yield tag("head", *_head(title, style)) + "\n<body>\n"
    yield (
        tag("header", tag("h1", title), paragraph(subtitle), _contents([heading for heading, _ in parts]))
        + "\n<main>\n"
    )
    for heading, contents in parts:
        yield section(heading, *contents)
    yield (
        "</main>\n"
        + tag("footer", paragraph(f"Written by em {manifest.get('em_version', '')}."))
        + "\n</body>\n</html>\n"
    )


def _fewer_pairs(run: FinishedRun) -> dict[str, Picture]:
    """The columns two by two that a page has room for, if there are more."""
    able = Pairs().columns(run)
    if len(able) <= MOST_PAIRED:
        return {}
    names = [run.column(place).name for place in most_separating(run, able, MOST_PAIRED)]
    return {picture.kind: picture for picture in pictures_of(run, ["pairs"], names)}


def _head(title: str, style: str) -> Sequence[Html]:
    return (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(style)),
    )


def _subtitle(run: FinishedRun) -> str:
    """The model in a line."""
    families = dict.fromkeys(group.family.replace("_", " ") for group in run.groups)
    structure = run.document.get("structure")
    name = " × ".join(families)
    said = f"{name[:1].upper()}{name[1:]} mixture"
    return f"{said}, {structure}" if structure else said


def _contents(headings: Sequence[str]) -> Html:
    links = [tag("li", tag("a", heading, href=f"#{anchor(heading)}")) for heading in headings]
    return tag("nav", tag("ul", *links), aria_label="Contents")


def _first(pictures: dict[str, Picture], drawn: dict[str, Html]) -> Html | None:
    """The picture that tells most goes where it is seen first."""
    kind = next((kind for kind in ("scatter", "density", "frequencies", "levels") if kind in pictures), None)
    return drawn.pop(kind) if kind else None


def _log_likelihood(document: Mapping[str, object]) -> str:
    """The log-likelihood and the criteria; of a variational fit the bound of the evidence."""
    if document.get("objective") == "elbo":
        return (
            f"Evidence lower bound {document['elbo']:.3f}; {document['effective_components']} of "
            f"{document['n_components']} components bear rows, the others are as the prior has them."
        )
    told = {name.upper(): document[name] for name in ("bic", "aic", "icl") if document[name] is not None}
    criteria = ", ".join(f"{name} {value:.3f}" for name, value in told.items())
    return (
        f"Log-likelihood {document['log_likelihood']:.3f} with {document['n_parameters']} parameters: "
        f"{criteria} (lower is better)."
    )


def _search(run: FinishedRun, ending: str, trusted: str) -> Html:
    return climbed(ending, _log_likelihood(run.document), trusted, run.manifest)


def climbed(ending: str, log_likelihood: str, trusted: str, manifest: Manifest) -> Html:
    """How the best climb ended, how high, and how far the search is to be trusted."""
    rule = manifest.get("stopping", {}).get("rule")
    return join(
        [
            paragraph(
                f"The best start {ending}. " if ending else None,
                log_likelihood,
            ),
            paragraph(f"{trusted[:1].upper()}{trusted[1:]}.") if trusted else None,
            paragraph(f"The rule: {rule}.") if rule else None,
        ]
    )
