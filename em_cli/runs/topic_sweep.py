"""Several numbers of topics, and which of them to take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any

import numpy as np

from em_cli.display.topics_page import sweep_summary
from em_cli.engine.arrays import Array
from em_cli.inference.topic_quality import coherences
from em_cli.latents.allocation.local_steps import inferred
from em_cli.models.topics import latent_of
from em_cli.outputs.search_found import stop_reason
from em_cli.outputs.tables import csv_text
from em_cli.outputs.topics_document import ScoredTopics
from em_cli.runs.deliver import Delivery
from em_cli.runs.run import Run
from em_cli.runs.stdout import beside_of, in_form
from em_cli.runs.topic_runs import ChosenTopics, Topics, read_line
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.topic_tasks import TopicTask, search_topics, work_of
from em_cli.sources.corpus import Corpus
from em_cli.sources.corpus_reader import documents_of

LEVEL = 1.0  # nats in all; among those that are no farther from the best the smallest is chosen
PART = 1 << 16  # cells whose probabilities are computed together
COLUMNS = (
    *("k", "elbo", "elbo_per_token", "completion", "perplexity", "u_mass", "npmi", "matching"),
    *("starts", "at_best", "remaining", "status", "note"),
)


@dataclass(slots=True, eq=False)
class TopicSweep:
    """Several numbers of topics, of which a criterion chooses one."""

    topics: Topics
    completions: Sequence[float | None] = ()  # of each number; found before the search, for that may be ended early

    def plan(self) -> str:
        return self.topics.plan()

    def search(self) -> list[Fitted]:
        run = self.topics.run
        if run.settings.config.criterion != "completion":
            self.completions = [None] * len(run.settings.ks)
            return self.topics.search()
        self.completions, done = completed(run)
        return self.topics.search_from(done)

    def chosen(self, fits: Sequence[Fitted]) -> TopicsOfSweep | None:
        run = self.topics.run
        found = [(fitted, by) for fitted, by in zip(fits, self.completions, strict=True) if fitted.chosen is not None]
        if not found:
            return None
        scored = [(self.topics.scored(fitted), by) for fitted, by in found]
        objectives = [own.result.elbo if by is None else by for own, by in scored]
        total = documents_of(run.data).corpus.n_tokens / 2 if run.settings.config.criterion == "completion" else 1.0
        best = next(place for place, one in enumerate(objectives) if (max(objectives) - one) * total <= LEVEL)
        rows = [_row(own.result, by, run.halt.reason or "interrupted") for own, by in scored]
        rows[best]["note"] = "chosen"
        return TopicsOfSweep(scored[best][0], rows)


@dataclass(frozen=True, slots=True, eq=False)
class TopicsOfSweep:
    """Those that were chosen, and the table."""

    own: ChosenTopics
    rows: Sequence[Mapping[str, Any]]

    @property
    def run(self) -> Run:
        return self.own.run

    def warn(self) -> None:
        self.own.warn()
        k, tried = self.own.result.fitted.n_components, [row["k"] for row in self.rows]
        if len(tried) > 1 and k == max(tried):
            wider = f"--k-range {min(tried)}-{2 * k}"
            self.run.record.warn(
                "edge_of_range", f"the choice, k = {k}, is the largest that was tried: widen the range ({wider})."
            )

    def delivery(self) -> Delivery:
        settings, rows, params = self.run.settings, self.rows, self.own.document()
        criterion = settings.config.criterion

        def table() -> Iterable[str]:
            return csv_text(COLUMNS, rows)

        def text(written: Sequence[str]) -> Iterable[str]:
            beside = beside_of(settings, read_line(self.run.data), params, written)
            document = params | {"criterion": criterion, "selection": [dict(row) for row in rows]}
            return in_form(settings, document, lambda: sweep_summary(rows, criterion, beside), table)

        return self.own.delivered(params, text, {"selection.csv": table()})


def completed(run: Run) -> tuple[list[float | None], float]:
    """Log-probability of a held-out token, for each number of topics: of one half of each document, given the other.

    Topics and shares are fitted to the one half, by a search of low effort; its share of the work of all searches.
    """
    corpus, latent, seed = documents_of(run.data).corpus, latent_of(run.settings.config), run.settings.config.seed
    seen, held = halves(corpus, seed)
    plan, tasks = replace(run.plan, effort=EFFORTS["low"]), [TopicTask(k) for k in run.settings.ks]
    work, rest = work_of(tasks, seen, "low"), work_of(tasks, corpus, run.settings.effort or "normal")
    ends, observe = work / (work + rest), run.record.observe
    with run.record.timed("completion", shown=False):
        fits = search_topics(tasks, latent, seen, plan, "low", run.runner, observe, run.halt, within=(0.0, ends))
    return [None if fitted.chosen is None else completion(fitted, seen, corpus, held) for fitted in fits], ends


def halves(corpus: Corpus, seed: int) -> tuple[Corpus, Array]:
    """Every token of a document by lot in one of two halves: the first, and the counts (n,) of the second.

    Documents of one token are wholly in the first.
    """
    rng = np.random.default_rng((seed, 3))
    first = np.empty(len(corpus.counts))
    for place in range(len(corpus.documents)):
        cells = slice(*corpus.bounds[place : place + 2])
        own = corpus.counts[cells].astype(np.int64)
        first[cells] = rng.multivariate_hypergeometric(own, -(-int(own.sum()) // 2), method="marginals")
    kept = first > 0
    lengths = np.add.reduceat(kept, corpus.bounds[:-1], dtype=np.intp)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return Corpus(corpus.documents, corpus.terms, corpus.codes[kept], first[kept], bounds), corpus.counts - first


def completion(fitted: Fitted, seen: Corpus, corpus: Corpus, held: Array) -> float:
    """Mean log-probability of the tokens held out, in nats, by the expected shares and terms."""
    assert fitted.chosen is not None, "there is a fit"
    found = fitted.chosen.parameters
    law, alpha = found.components, found.latent.alpha
    gamma, _ = inferred(law.expected_log, alpha, seen.codes, seen.counts, seen.bounds)
    shares, terms = gamma / gamma.sum(axis=0), law.concentration / law.concentration.sum(axis=1, keepdims=True)
    total, there = 0.0, held > 0
    documents = np.repeat(np.arange(len(corpus.documents)), np.diff(corpus.bounds))[there]
    codes, counts = corpus.codes[there], held[there]
    for first in range(0, len(codes), PART):
        part = slice(first, first + PART)
        p = np.einsum("kn,kn->n", shares[:, documents[part]], terms[:, codes[part]])
        total += float(counts[part] @ np.log(p))
    return total / float(held.sum())


def _row(result: ScoredTopics, completion: float | None, cut_by: str) -> dict[str, Any]:
    """Of `selection.csv`."""
    fitted, chosen, found = result.fitted, result.fitted.chosen, result.stability
    assert chosen is not None, "there is a fit"
    quality = coherences(result.term_tokens, result.corpus)
    return {
        "k": fitted.n_components,
        "elbo": result.elbo,
        "elbo_per_token": result.elbo / result.corpus.n_tokens,
        "completion": completion,
        "perplexity": None if completion is None else exp(-completion),
        "u_mass": float(np.mean([one.u_mass for one in quality])),
        "npmi": float(np.mean([one.npmi for one in quality])),
        "matching": None if found is None else found.matching,
        "starts": len(fitted.ledger),
        "at_best": fitted.at_best,
        "remaining": chosen.remaining,
        "status": stop_reason(chosen, cut_by),
        "note": "",
    }
