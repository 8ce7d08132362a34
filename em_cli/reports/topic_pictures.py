"""Pictures of topics: their terms, their sizes, the shares of documents, the climbs of the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from em_cli.documents.manifest_json import Manifest
from em_cli.documents.topics_json import OneTopic, TopicParams
from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.registry import did_you_mean
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_TOPICS, MOST_TERMS = 16, 10  # that are drawn, of each
ACROSS = 4  # topics beside each other
MOST_DOCUMENTS = 400  # in a heat map


@dataclass(frozen=True, slots=True, eq=False)
class TopicRun:
    """A run of topics as pictures and reports see it."""

    name: str  # of the run folder
    data_name: str
    document: TopicParams  # params.json
    manifest: Manifest
    shares: Array | None  # (D, K) of the documents, in their order; None if they were not written
    climbs: tuple[tuple[str, Array], ...]  # the verdict on each, and its bounds
    selection: tuple[Mapping[str, Any], ...] = ()  # rows of selection.csv; none of a fit

    @property
    def k(self) -> int:
        return int(self.document["n_components"])

    @property
    def topics(self) -> Sequence[OneTopic]:
        return self.document["topics"]


def topic_pictures(run: TopicRun, kinds: Sequence[str] = ()) -> list[Picture]:
    """Those of these names, or all that apply; `UsageError` has the nearest right name."""
    for name in kinds:
        if name not in KINDS:
            raise UsageError(f"of topics there is no picture {name!r}{did_you_mean(name, KINDS)}")
    made = [(name, KINDS[name](run)) for name in kinds or KINDS]
    if kinds and (nothing := [name for name, picture in made if picture is None]):
        raise UsageError(f"--kind {nothing[0]} does not apply: {_NEEDS[nothing[0]]}")
    return [picture for _, picture in made if picture is not None]


def _terms(run: TopicRun) -> Picture:
    law, terms = np.array(run.document["topic_word"]), run.document["terms"]
    places, shown = {term: v for v, term in enumerate(terms)}, range(min(run.k, MOST_TOPICS))
    tops = [[places[term] for term in run.topics[k]["top_terms"][:MOST_TERMS]] for k in shown]
    alt = "; ".join(f"topic {k + 1}: " + ", ".join(f"{terms[v]} {law[k, v]:.3f}" for v in tops[k][:3]) for k in shown)
    rows, columns = -(-len(shown) // ACROSS), min(ACROSS, len(shown))
    size = (max(2.9 * columns, 4.0), 0.6 + rows * (0.7 + 0.19 * max(map(len, tops))))
    left = f" The {MOST_TOPICS} largest of {run.k} topics." if run.k > MOST_TOPICS else ""
    named = [[(str(terms[v]), float(law[k, v])) for v in tops[k]] for k in shown]
    caption = f"The likeliest terms of each topic, and their probability in it.{left}"
    return Picture("terms", f"{run.data_name}: terms of the topics", caption, alt, size, partial(_draw_terms, named))


def _draw_terms(named: Sequence[Sequence[tuple[str, float]]], figure: Figure, theme: Theme) -> None:
    columns = min(ACROSS, len(named))
    for k, tops in enumerate(named):
        axes = figure.add_subplot(-(-len(named) // columns), columns, k + 1)
        mark = theme.mark(k, len(named))
        axes.barh(range(len(tops)), [p for _, p in tops], 0.7, color=mark.colour)
        axes.set_yticks(range(len(tops)), [short(term, 16) for term, _ in tops], fontsize=8)
        axes.set_ylim(len(tops) - 0.5, -0.5)
        axes.set_title(f"topic {k + 1}")
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=7)
        axes.locator_params(axis="x", nbins=3)


def _sizes(run: TopicRun) -> Picture:
    shares = [float(one["share"]) for one in run.topics]
    alt = ", ".join(f"topic {k + 1}: {share:.3f}" for k, share in enumerate(shares))
    words = [f"{100 * one['share']:.1f} %  ·  npmi {one['npmi']:.2f}" for one in run.topics]
    caption = "Share of each topic of all tokens, and how far its top terms occur in the same documents (npmi)."
    size = (6.2, min(1.1 + 0.3 * run.k, 12.0))
    return Picture(
        "sizes", f"{run.data_name}: sizes of the topics", caption, alt, size, partial(_draw_sizes, shares, words)
    )


def _draw_sizes(shares: Sequence[float], words: Sequence[str], figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    for k, (share, word) in enumerate(zip(shares, words, strict=True)):
        axes.barh(k, share, 0.7, color=theme.mark(k, len(shares)).colour)
        axes.annotate(word, (share, k), (5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(shares)), [str(k + 1) for k in range(len(shares))])
    axes.set_ylim(len(shares) - 0.5, -0.5)
    axes.set_xlim(0, 1.4 * max(shares))
    axes.set_ylabel("topic")
    axes.set_xlabel("share of the tokens")


def _documents(run: TopicRun) -> Picture | None:
    if run.shares is None or not len(run.shares):
        return None
    shares = run.shares
    order = np.lexsort((-shares.max(axis=1), shares.argmax(axis=1)))
    some = order[np.linspace(0, len(order) - 1, min(len(order), MOST_DOCUMENTS)).astype(np.intp)]
    left = f" {len(some)} of {len(order)} documents." if len(some) < len(order) else ""
    caption = f"Shares of topics in each document, those of one largest topic together.{left}"
    largest = np.bincount(shares.argmax(axis=1), minlength=run.k)
    alt = ", ".join(f"topic {k + 1} is the largest of {n} documents" for k, n in enumerate(largest.tolist()))
    title = f"{run.data_name}: shares of topics in documents"
    return Picture("documents", title, caption, alt, (7.0, 3.6), partial(_draw_documents, shares[some]))


def _draw_documents(shares: Array, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    below = np.zeros(len(shares))
    for k, own in enumerate(shares.T):
        axes.bar(np.arange(len(shares)), own, 1.0, below, color=theme.mark(k, shares.shape[1]).colour, linewidth=0)
        below += own
    axes.set_xlim(-0.5, len(shares) - 0.5)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_xlabel("documents")
    axes.set_ylabel("share of each topic")


def _trace(run: TopicRun) -> Picture | None:
    climbs = [(verdict, bounds) for verdict, bounds in run.climbs if len(bounds) and np.isfinite(bounds).all()]
    if not climbs:
        return None
    best = max(climbs, key=lambda climb: float(climb[1][-1]))[1]
    caption = f"The bound of {len(climbs)} starts, iteration by iteration; the best is dark."
    alt = f"the best start ends at {best[-1]:.3f} after {len(best)} iterations"
    return Picture(
        "trace", f"{run.data_name}: the search", caption, alt, (6.4, 3.8), partial(_draw_trace, climbs, best)
    )


def _draw_trace(climbs: Sequence[tuple[str, Array]], best: Array, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    for _, bounds in climbs:
        axes.plot(np.arange(1, len(bounds) + 1), bounds, color=theme.noise, linewidth=0.8, alpha=0.5)
    axes.plot(np.arange(1, len(best) + 1), best, color=theme.ink, linewidth=1.8)
    lowest = min(float(np.quantile(bounds, 0.5)) for _, bounds in climbs)
    span = float(best[-1]) - lowest or 1.0
    axes.set_ylim(lowest - 0.2 * span, float(best[-1]) + 0.05 * span)
    axes.set_xlabel("iteration")
    axes.set_ylabel("ELBO (nats)")


KINDS: Mapping[str, Callable[[TopicRun], Picture | None]] = {
    "terms": _terms,
    "sizes": _sizes,
    "documents": _documents,
    "trace": _trace,
}
_NEEDS = {
    "documents": "documents.csv was not written.",
    "trace": "trace.csv is not there.",
}
