"""Runs that fit topics, from what was asked for to what is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from em_cli.config.run_config import DataConfig
from em_cli.config.texts import record
from em_cli.display.text import counted
from em_cli.display.topics_page import topics_summary
from em_cli.engine.events import ModelChosen
from em_cli.memory import MIB, check
from em_cli.models.topics import check_enough, latent_of, wanted_topics
from em_cli.outputs.folder import Content
from em_cli.outputs.tables import csv_text
from em_cli.outputs.topics_document import (
    TOPIC_COLUMNS,
    ScoredTopics,
    document_columns,
    document_rows,
    scored_topics,
    topic_rows,
    topics_document,
)
from em_cli.runs.deliver import Delivery
from em_cli.runs.remembered import differing, in_options, reading_of
from em_cli.runs.run import Run
from em_cli.runs.screen import color_wanted, width
from em_cli.runs.stdout import in_form, place_text, unsaid
from em_cli.runs.topic_plots import fresh_topics
from em_cli.runs.topic_starts import given_tokens
from em_cli.runs.warnings import warn_if_not_converged, warn_if_reached_once, warn_of_halt
from em_cli.search.ledger import Fitted
from em_cli.search.topic_tasks import TopicTask, search_topics
from em_cli.sources.corpus import Documents
from em_cli.sources.table import Data

READING = ("columns", "exclude", "id", "document", "term", "count", "text", "stop_words")
NUMBER = 8  # bytes
TOGETHER = 60  # times the numbers of a fit: of its climbs, their steps, and the ends that are kept


def documents_of(data: Data) -> Documents:
    assert data.documents is not None, "documents were read"
    return data.documents


def fit_topics(run: Run) -> None:
    """One number of topics."""
    (k,) = run.settings.ks
    check_run_of_topics(run)
    if run.only_planned:
        run.say([plan_text(run)])
        return
    (fitted,) = searched(run, [k])
    if fitted.chosen is None:
        run.give_up(fitted)
    result = scored(run, fitted)
    tell_doubts(run, result)
    params = document(run, result)
    told(run, params)
    written = delivered(run, result, params, [fitted], {})
    run.say(text_of(run, params, written))


def check_run_of_topics(run: Run) -> None:
    """`DataError` if there are too few tokens, or too little memory."""
    corpus, ks = documents_of(run.data).corpus, run.settings.ks
    check_enough(corpus, max(ks), run.data.name)
    numbers = max(ks) * (len(corpus.terms) + len(corpus.documents)) * TOGETHER + 8 * len(corpus.codes)
    size = f"{len(corpus.documents):,} documents, {len(corpus.terms):,} terms"
    check(NUMBER * numbers + 64 * MIB, f"fitting {max(ks)} topics to {run.data.name} ({size})")


def searched(run: Run, ks: Sequence[int]) -> list[Fitted]:
    """The fits of these numbers of topics."""
    corpus, latent = documents_of(run.data).corpus, latent_of(run.settings.config)
    start = run.settings.start
    tasks = [TopicTask(k, given_tokens(start, latent, corpus, k) if start else ()) for k in ks]
    with run.record.timed("search", shown=False):
        return search_topics(
            tasks,
            latent,
            corpus,
            run.plan,
            run.settings.effort or "normal",
            run.runner,
            run.record.observe,
            run.halt,
            run.checkpoint,
        )


def scored(run: Run, fitted: Fitted) -> ScoredTopics:
    """A fit as it is written."""
    with run.record.timed("scoring"):
        return scored_topics(fitted, latent_of(run.settings.config), documents_of(run.data), run.runner)


def tell_doubts(run: Run, result: ScoredTopics) -> None:
    """Say what is doubtful about topics."""
    config, settings, fitted = run.settings.config, run.settings, result.fitted
    warn_of_halt(run.halt.reason, config, run.record, run.checkpoint is not None)
    chosen, found = fitted.chosen, result.stability
    assert chosen is not None, "there is a fit to speak of"
    warn_if_not_converged(chosen, config.search.max_iter, run.record)
    warn_if_reached_once(fitted, settings.effort, run.record)
    k = fitted.n_components
    if found is not None and found.matching < k:
        lost = [str(j + 1) for j, again in enumerate(found.found_again) if 2 * again < found.others]
        others = f"the {found.others} ends of the search that came near"
        told = lost and found.others > 1  # of one, the runner-up, that says it all
        which = f" Found again by fewer than half of {others}: topics {', '.join(lost)}." if told else ""
        run.record.warn(
            "unstable_topics",
            f"the runner-up of the search has {found.matching} of these {k} topics: do not build on the others.{which}",
        )


def document(run: Run, result: ScoredTopics) -> dict[str, Any]:
    """The document of the fit, with all that there is to warn of."""
    settings, data = run.settings, run.data
    config = settings.config
    wanted = wanted_topics(config)
    assert wanted is not None, "topics are wanted"
    about = {
        "effort": settings.effort,
        "tol": config.search.tol,
        "max_iter": config.search.max_iter,
        "random_state": config.seed,
        "start": "given" if settings.start else "auto",
        "corpus": wanted.said | ({"document": data.id_name} if data.id_name is not None else {}),
        "reading": {key: value for key, value in reading_of(config.data, None, None).items() if key != "id"},
        "data_sha256": data.data_sha256,
        "config_sha256": settings.fingerprint,
    }
    return topics_document(result, about, run.halt.reason or "interrupted", run.record.warnings)


def told(run: Run, params: Mapping[str, Any]) -> None:
    """Tell those who watch what came of the fit."""
    run.record.observe(ModelChosen("topics", params["n_components"], params["elbo"], (), ""))


def delivered(
    run: Run, result: ScoredTopics, params: Mapping[str, object], fits: list[Fitted], more: Mapping[str, Content]
) -> list[str]:
    """Write the run folder and the single files asked for; the names of what is in the folder."""
    key, k, report = result.documents.key, result.fitted.n_components, run.settings.request.report

    def of_documents(place: str) -> Content:
        return csv_text(document_columns(key, k), document_rows(result.documents, result.shares))

    def drawn(folder: str, files: dict[str, Content], about: Mapping[str, object]) -> Mapping[str, Content]:
        from em_cli.runs.plotting import drawn_of  # most runs draw nothing

        return drawn_of(fresh_topics(folder, files, about, params), report)

    tables: dict[str, Content] = {"topics.csv": csv_text(TOPIC_COLUMNS, topic_rows(result))}
    if run.settings.config.responsibilities:
        tables["documents.csv"] = of_documents("documents.csv")
    return run.write(Delivery(result, tables, of_documents, drawn), params, fits, more)


def read_line(data: Data) -> str:
    """What was read, in a sentence."""
    found = documents_of(data)
    corpus = found.corpus
    empty = f", {counted(len(found.empty), 'empty one')} left out" if found.empty else ""
    return (
        f"{data.name}: {counted(len(corpus.documents), 'document')}{empty}; {counted(len(corpus.terms), 'term')}, "
        f"{counted(round(corpus.n_tokens), 'token')}"
    )


def plan_text(run: Run) -> str:
    """What a run would do, for `--dry-run`."""
    settings, plan = run.settings, run.plan
    how = f"a search of {settings.effort} effort" if settings.effort else counted(plan.restarts or 1, "climb")
    lines = [f"would fit {read_line(run.data)}", *(f"  topics, k = {k}: {how}" for k in settings.ks)]
    return "\n".join([*lines, place_text(settings), "", record(settings.config)])


def text_of(run: Run, params: Mapping[str, object], written: Sequence[str]) -> Iterable[str]:
    """The result of a fit, on standard output."""
    settings, screen = run.settings, run.settings.request.screen

    def page() -> str:
        return topics_summary(
            dict(params) | {"warnings": unsaid(params, screen)},
            read_line=read_line(run.data),
            written=written,
            folder=settings.folder,
            width=width(),
            color=color_wanted(screen),
            suggestions=[suggested(run)] if settings.folder else [],
        )

    return in_form(settings, params, page)


def suggested(run: Run) -> str:
    """The sweep that may come next."""
    said = in_options(differing(run.settings.config.data, DataConfig(), READING))
    k = run.settings.ks[0]
    names = shlex.join(file.name for file in run.data.inputs)
    return " ".join([f"em select {names} --latent topics --k-range {max(1, k // 2)}-{2 * k}:{max(1, k // 2)}", *said])
