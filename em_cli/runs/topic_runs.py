"""Runs that fit topics, from what was asked for to what is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from em_cli.config.run_config import DataConfig
from em_cli.config.texts import PLACE_KEYS, record
from em_cli.display.text import counted
from em_cli.display.topics_page import topics_summary
from em_cli.engine.events import ModelChosen
from em_cli.engine.stopping import Status
from em_cli.memory import MIB, check
from em_cli.models.topics import check_enough, latent_of, wanted_topics
from em_cli.outputs.folder import Content, write_file
from em_cli.outputs.manifest import to_json
from em_cli.outputs.tables import LEDGER_COLUMNS, TRACE_COLUMNS, csv_text, ledger_rows, trace_rows
from em_cli.outputs.topics_document import (
    TOPIC_COLUMNS,
    ScoredTopics,
    document_columns,
    document_rows,
    scored_topics,
    topic_rows,
    topics_document,
)
from em_cli.runs.remembered import in_options, reading_of
from em_cli.runs.run import Run
from em_cli.runs.screen import color_wanted, width
from em_cli.runs.stdout import unsaid
from em_cli.runs.topic_plots import drawn_files
from em_cli.runs.topic_starts import given_tokens
from em_cli.runs.warnings import warn_if_reached_once, warn_of_halt
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
    if chosen.status is Status.MAX_ITERATIONS:
        run.record.warn(
            "not_converged",
            f"stopped at {len(chosen.trace)} iterations, about {chosen.remaining:.2g} nats still to gain: "
            f"--max-iter {4 * config.search.max_iter}.",
        )
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
    report, config = run.settings.request.report, run.settings.config
    key, k = result.documents.key, result.fitted.n_components

    def of_documents() -> Iterable[str]:
        return csv_text(document_columns(key, k), document_rows(result.documents, result.shares))

    files: dict[str, Content] = {
        "params.json": [to_json(params)],
        "topics.csv": csv_text(TOPIC_COLUMNS, topic_rows(result)),
    }
    if config.responsibilities:
        files["documents.csv"] = of_documents()
    files["trace.csv"] = csv_text(TRACE_COLUMNS, trace_rows(fits))
    files["restarts.csv"] = csv_text(LEDGER_COLUMNS, ledger_rows(fits))
    files["run.yaml"] = [record(config, PLACE_KEYS)]
    files |= more
    with run.record.timed("writing"):
        names = []
        if run.folder is not None:
            about = run.about(result, params, fits)
            drawn = drawn_files(run.folder.path, run.settings.request.report, params, about, files)
            names = run.folder.deliver(files | drawn, about, not run.halt.reason)
        if report.params:
            write_file(report.params, [to_json(params)])
        if report.responsibilities_to:
            write_file(report.responsibilities_to, of_documents())
    return names


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
    lines.append(f"would write {settings.folder}/" if settings.folder else "would write no folder")
    return "\n".join([*lines, "", record(settings.config)])


def text_of(run: Run, params: Mapping[str, object], written: Sequence[str]) -> Iterable[str]:
    """The result of a fit, on standard output."""
    settings = run.settings
    if settings.stdout == "json":
        return [to_json(params)]
    if settings.stdout == "none":
        return ()
    screen = settings.request.screen
    text = topics_summary(
        dict(params) | {"warnings": unsaid(params, screen)},
        read_line=read_line(run.data),
        written=written,
        folder=settings.folder,
        width=width(),
        color=color_wanted(screen),
        suggestions=[suggested(run)] if settings.folder else [],
    )
    return [text]


def suggested(run: Run) -> str:
    """The sweep that may come next."""
    own, fresh = run.settings.config.data, DataConfig()
    said = in_options({key: getattr(own, key) for key in READING if getattr(own, key) != getattr(fresh, key)})
    k = run.settings.ks[0]
    names = shlex.join(file.name for file in run.data.inputs)
    return " ".join([f"em select {names} --latent topics --k-range {max(1, k // 2)}-{2 * k}:{max(1, k // 2)}", *said])
