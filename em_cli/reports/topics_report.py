"""Topics as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from em_cli.reports import provenance, trust
from em_cli.reports.html import Child, Html, bullets, figure_of, join, paragraph, table, tag
from em_cli.reports.inline import Colours, inlined
from em_cli.reports.page import Part, climbed, framed
from em_cli.reports.style import short
from em_cli.reports.stylesheet import SHEET, schemes
from em_cli.reports.topic_pictures import TopicRun, topic_pictures
from em_cli.sources.quoting import plural


def topics_page(run: TopicRun, ending: str, trusted: str, stable: str) -> Iterator[str]:
    """The whole page; how the climb ended, how far to trust the search, how stable topics are: given in words."""
    colours: Colours = {}
    drawn = {picture.kind: inlined(picture, number, colours) for number, picture in enumerate(topic_pictures(run))}
    parts: list[Part] = [
        ("In short", [_in_short(run, stable)]),
        ("The topics", [drawn.get("terms"), _topics(run), drawn.get("sizes")]),
        ("The documents", [drawn.get("documents"), paragraph("Every document has its shares in documents.csv.")]),
    ]
    if run.selection:
        parts.append(("How many topics", [_selection(run)]))
    parts.append(("The search", [climbed(ending, _bound(run), trusted, run.manifest), drawn.get("trace")]))
    if said := trust.told(run.document["warnings"]):
        parts.append(("Warnings", [said]))
    parts.append(
        (
            "How to reproduce this",
            [provenance.again(run.name, run.manifest), provenance.hashes(run.document, run.manifest)],
        )
    )
    title = f"{plural(run.k, 'topic')} in {short(run.data_name, 60)}"
    yield from framed(title, "Latent Dirichlet allocation", parts, SHEET + schemes(colours, run.k), run.manifest)


def _in_short(run: TopicRun, stable: str) -> Html:
    document = run.document
    said = [
        join([tag("strong", f"topic {one['topic']}"), f" ({100 * one['share']:.1f} %): ", ", ".join(one["top_terms"])])
        for one in run.topics
    ]
    empty = document["n_empty_documents"]
    return join(
        [
            paragraph(
                f"{plural(document['n_documents'], 'document')} of {document['n_terms']:,} terms and "
                f"{document['n_tokens']:,.0f} tokens were described by ",
                tag("strong", plural(run.k, "topic")),
                f"; {plural(empty, 'document')} without a token left out:" if empty else ":",
            ),
            bullets(said),
            paragraph(f"{stable[:1].upper()}{stable[1:]}.") if stable else None,
        ]
    )


def _topics(run: TopicRun) -> Html:
    other = run.document["runner_up"]
    headings = ["topic", "share", "documents", "npmi", "u_mass", "in the runner-up", "found again"]
    rows: list[list[Child]] = [
        [
            str(one["topic"]),
            figure_of(one["share"], f"{100 * one['share']:.1f} %"),
            str(one["n_documents"]),
            figure_of(one["npmi"], f"{one['npmi']:.2f}"),
            figure_of(one["u_mass"], f"{one['u_mass']:.2f}"),
            "" if one["runner_up_cosine"] is None else f"cosine {one['runner_up_cosine']:.2f}",
            "" if one["found_again"] is None or other is None else f"{one['found_again']} of {other['others']}",
        ]
        for one in run.topics
    ]
    return table("Topics, the largest first", headings, rows)


def _selection(run: TopicRun) -> Html:
    names = ("k", "elbo", "completion", "perplexity", "npmi", "note")
    return table(
        "Numbers of topics", list(names), [[str(row.get(name) or "") for name in names] for row in run.selection]
    )


def _bound(run: TopicRun) -> str:
    document = run.document
    alpha, how = sum(document["alpha"]), "learned" if document["alpha_learned"] else "as given"
    return (
        f"The bound (ELBO) is {document['elbo']:.3f}, {document['elbo_per_token']:.4f} per token; the sum of "
        f"alpha is {alpha:.3g} ({how}), eta is {document['eta']:g}."
    )
