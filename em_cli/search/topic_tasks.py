"""Several numbers of topics of the same documents, searched side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import ceil

import numpy as np

from em_cli.engine.checkpoint import Checkpoint
from em_cli.engine.events import FINISHING, STARTS, Advanced, Observer, PhaseStarted, ignore
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, run_searches
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.latents.allocation.allocation import Allocation
from em_cli.latents.allocation.term_laws import Terms
from em_cli.search.ledger import Fitted, choose
from em_cli.search.search import Plan
from em_cli.search.topic_moves import Moves
from em_cli.search.topic_search import EXTENTS, FINISHERS, SHORT, TO_THE_END, WIDE, Extent, TopicSearch
from em_cli.sources.corpus import Corpus

SAMPLE_CELLS = 1_000_000  # of documents that a search sees, at the least; of fewer than two times that it sees all
EARLY_ALPHA = 0.1  # where it is learned later: documents of few topics tell these apart
CELLS_A_TERM = 2  # of each topic, at the least: from fewer, topics are known too badly to choose among


@dataclass(frozen=True, slots=True, eq=False)
class TopicTask:
    """A number of topics, and the first of them, if they are given."""

    n_components: int
    tokens: tuple[Parameters, ...] = ()


def search_topics(
    tasks: Sequence[TopicTask],
    latent: Allocation,
    corpus: Corpus,
    plan: Plan,
    effort: str,
    runner: Runner,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
    within: tuple[float, float] = (0.0, 1.0),
) -> list[Fitted]:
    """Fit every task. Where documents are many, the search sees some of them, and its best ends are finished on all.

    What it is `within` are the shares of the work of all searches that are done before it, and after it.
    """
    numbers, free = count(), [not task.tokens for task in tasks]
    cells = CELLS_A_TERM * len(corpus.terms) * max(task.n_components for task in tasks)
    some = sampled(corpus, plan.seed, max(SAMPLE_CELLS, cells)) if all(free) else corpus
    (begins, ends), turn = within, within[1]
    if some is not corpus:
        own = work_of(tasks, some, effort)
        turn = begins + (ends - begins) * own / (own + _of_the_end(tasks, corpus))
    observe(PhaseStarted(STARTS, 0, len(tasks), some.source.n_rows, some is not corpus, begins, turn))
    searches = [_search(task, latent, some, plan, numbers, observe, part) for part, task in enumerate(tasks)]
    asked = [_told(own, _asked(own, task, plan, EXTENTS[effort])) for own, task in zip(searches, tasks, strict=True)]
    run_searches(asked, some.source, runner, observe, halted, checkpoint)
    if some is not corpus:
        observe(PhaseStarted(FINISHING, 0, len(tasks), corpus.source.n_rows, False, turn, ends))
        whole = [_search(task, latent, corpus, plan, numbers, observe, part) for part, task in enumerate(tasks)]
        last = [_told(own, own.continued(first)) for own, first in zip(whole, searches, strict=True)]
        run_searches(last, corpus.source, runner, observe, halted, checkpoint)
        searches = whole
    return [choose("", task.n_components, own.attempts) for task, own in zip(tasks, searches, strict=True)]


def _told(own: TopicSearch, asked: Search[None]) -> Search[None]:
    """The same search, which tells its end."""
    yield from asked
    own.observe(Advanced(own.part, 1.0))


def _asked(search: TopicSearch, task: TopicTask, plan: Plan, extent: Extent) -> Search[None]:
    if task.tokens:
        return search.finished([("given", (), start) for start in task.tokens])
    if plan.restarts is not None:
        return search.plain(plan.restarts if task.n_components > 1 else 1)
    return search.search(extent.scaled(len(search.moves.corpus.codes) * task.n_components))


def work_of(tasks: Sequence[TopicTask], corpus: Corpus, effort: str) -> float:
    """What a search of these documents is expected to take, in passes times cells and topics."""
    n, extent = len(corpus.codes), EXTENTS[effort]
    return n * sum(extent.scaled(n * task.n_components).work * task.n_components for task in tasks)


def _of_the_end(tasks: Sequence[TopicTask], corpus: Corpus) -> float:
    """The same, of its best ends on all documents."""
    return len(corpus.codes) * sum(FINISHERS * (SHORT[0] + TO_THE_END) * task.n_components for task in tasks)


def _search(
    task: TopicTask,
    latent: Allocation,
    corpus: Corpus,
    plan: Plan,
    numbers: Iterator[int],
    observe: Observer,
    part: int,
) -> TopicSearch:
    k = task.n_components
    model, bound = topic_model(latent, corpus, k)
    early = replace(bound, alpha=EARLY_ALPHA if latent.alpha == "learned" else latent.alpha, anew=True)
    wide = Moves(Model(model.family, early, ceil(WIDE * k)), early, corpus)
    moves, held = Moves(model, bound, corpus), replace(model, latent=early)
    return TopicSearch(moves, held, wide, plan.algorithm, plan.stopping, numbers, plan.seed, observe, part)


def topic_model(latent: Allocation, corpus: Corpus, n_components: int) -> tuple[Model, Allocation]:
    """The model of documents, and its latent structure bound to them."""
    terms, bound = Terms(len(corpus.terms), float(latent.eta)), latent.of(corpus.bounds)
    return Model(terms, bound, n_components), bound


def sampled(corpus: Corpus, seed: int, most: int = SAMPLE_CELLS) -> Corpus:
    """Some documents with so many cells, by lot; all of them where they are not many."""
    if len(corpus.codes) <= 2 * most:
        return corpus
    order = np.random.default_rng((seed, 2)).permutation(len(corpus.documents))
    cells = np.cumsum(np.diff(corpus.bounds)[order])
    n = max(2, int(np.searchsorted(cells, most)))
    return corpus.some(np.sort(order[:n]))
