"""Runs that fit topics, from what was asked for to what is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from em_cli.config.run_config import DataConfig
from em_cli.config.texts import record
from em_cli.display.text import counted
from em_cli.display.topics_page import topics_summary
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.topics_json import TopicParams
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
from em_cli.runs.deliver import Delivery, Text, about_run
from em_cli.runs.remembered import differing, in_options, reading_of
from em_cli.runs.run import Run
from em_cli.runs.stdout import beside_of, in_form, place_text
from em_cli.runs.topic_starts import given_tokens
from em_cli.runs.warnings import warn_of_climb
from em_cli.search.ledger import Fitted
from em_cli.search.topic_tasks import TopicTask, search_topics
from em_cli.sources.corpus_reader import documents_of
from em_cli.sources.table import Data

READING = ("columns", "exclude", "id", "document", "term", "count", "text", "stop_words")
NUMBER = 8  # bytes
TOGETHER = 60  # times the numbers of a fit: of its climbs, their steps, and the ends that are kept


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """The topics of documents, and the run that they are fitted in."""

    run: Run

    @staticmethod
    def of(run: Run) -> Topics:
        """Those that are wanted; `DataError` if there are too few tokens, or too little memory."""
        corpus, most = documents_of(run.data).corpus, max(run.settings.ks)
        check_enough(corpus, most, run.data.name)
        numbers = most * (len(corpus.terms) + len(corpus.documents)) * TOGETHER + 8 * len(corpus.codes)
        size = f"{len(corpus.documents):,} documents, {len(corpus.terms):,} terms"
        check(NUMBER * numbers + 64 * MIB, f"fitting {most} topics to {run.data.name} ({size})")
        return Topics(run)

    def plan(self) -> str:
        """What would be done."""
        settings, plan = self.run.settings, self.run.plan
        how = f"a search of {settings.effort} effort" if settings.effort else counted(plan.restarts or 1, "start")
        lines = [f"would fit {read_line(self.run.data)}", *(f"  topics, k = {k}: {how}" for k in settings.ks)]
        return "\n".join([*lines, place_text(settings), "", record(settings.config)])

    def search(self) -> list[Fitted]:
        """The fits of all numbers of topics."""
        return self.search_from(0.0)

    def search_from(self, begins: float) -> list[Fitted]:
        """The same, after such a share of the work of all searches."""
        run, settings = self.run, self.run.settings
        corpus, latent, start = documents_of(run.data).corpus, latent_of(settings.config), settings.start
        tasks = [TopicTask(k, given_tokens(start, latent, corpus, k) if start else ()) for k in settings.ks]
        effort, observe = settings.effort or "normal", run.record.observe
        with run.record.timed("search", shown=False):
            return search_topics(
                tasks, latent, corpus, run.plan, effort, run.runner, observe, run.halt, run.checkpoint, (begins, 1.0)
            )

    def chosen(self, fits: Sequence[Fitted]) -> ChosenTopics | None:
        """The only ones."""
        (fitted,) = fits
        return None if fitted.chosen is None else self.scored(fitted)

    def scored(self, fitted: Fitted) -> ChosenTopics:
        """A fit as it is written."""
        run = self.run
        with run.record.timed("scoring"):
            latent, documents = latent_of(run.settings.config), documents_of(run.data)
            return ChosenTopics(run, scored_topics(fitted, latent, documents, run.runner))


@dataclass(frozen=True, slots=True, eq=False)
class ChosenTopics:
    """Topics as they are written."""

    run: Run
    result: ScoredTopics

    def warn(self) -> None:
        """Say what is doubtful about them."""
        run, fitted, found = self.run, self.result.fitted, self.result.stability
        run.warn_of_halt()
        warn_of_climb(fitted, run.settings, run.record)
        k = fitted.n_components
        if found is not None and found.matching < k:
            lost = [str(j + 1) for j, again in enumerate(found.found_again) if 2 * again < found.others]
            others = f"the {found.others} ends of the search that came near"
            told = lost and found.others > 1  # of one, the runner-up, that says it all
            which = f" Found again by fewer than half of {others}: topics {', '.join(lost)}." if told else ""
            run.record.warn(
                "unstable_topics",
                f"the runner-up of the search has {found.matching} of these {k} topics: do not build on the others."
                f"{which}",
            )

    def delivery(self) -> Delivery:
        params = self.document()

        def text(written: Sequence[str]) -> Iterable[str]:
            suggestions = [suggested(self.run)] if self.run.settings.folder else []
            beside = beside_of(self.run.settings, read_line(self.run.data), params, written, suggestions)
            return in_form(self.run.settings, params, lambda: topics_summary(params, beside))

        return self.delivered(params, text)

    def document(self) -> TopicParams:
        """The document of the fit, with all that there is to warn of."""
        settings, data = self.run.settings, self.run.data
        config, wanted = settings.config, wanted_topics(settings.config)
        assert wanted is not None, "topics are wanted"
        reading = {key: value for key, value in reading_of(config.data, None, None).items() if key != "id"}
        own = {
            "start": "given" if settings.start else "auto",
            "corpus": wanted.said | ({"document": data.id_name} if data.id_name is not None else {}),
            "reading": reading,
        }
        return topics_document(
            self.result, about_run(settings, data, own), self.run.halt.reason or "interrupted", self.run.record.warnings
        )

    def delivered(self, params: TopicParams, text: Text, of_sweep: Mapping[str, Content] | None = None) -> Delivery:
        """What is written of them."""
        self.run.record.observe(ModelChosen("topics", params["n_components"], params["elbo"], (), ""))
        result, report = self.result, self.run.settings.request.report
        key, k = result.documents.key, result.fitted.n_components

        def of_documents(place: str) -> Content:
            return csv_text(document_columns(key, k), document_rows(result.documents, result.shares))

        def drawn(folder: str, files: dict[str, Content], about: Manifest) -> Mapping[str, Content]:
            from em_cli.runs.plotting import drawn_of  # most runs draw nothing
            from em_cli.runs.topic_plots import fresh_topics

            return drawn_of(fresh_topics(folder, files, about, params), report)

        tables: dict[str, Content] = {"topics.csv": csv_text(TOPIC_COLUMNS, topic_rows(result))}
        if self.run.settings.config.responsibilities:
            tables["documents.csv"] = of_documents("documents.csv")
        return Delivery(result, params, tables, of_documents, text, of_sweep or {}, drawn)


def read_line(data: Data) -> str:
    """What was read, in a sentence."""
    found = documents_of(data)
    corpus = found.corpus
    empty = f", {counted(len(found.empty), 'empty one')} left out" if found.empty else ""
    return (
        f"{data.name}: {counted(len(corpus.documents), 'document')}{empty}; {counted(len(corpus.terms), 'term')}, "
        f"{counted(round(corpus.n_tokens), 'token')}"
    )


def suggested(run: Run) -> str:
    """The sweep that may come next."""
    said = in_options(differing(run.settings.config.data, DataConfig(), READING))
    k = run.settings.ks[0]
    names = shlex.join(file.name for file in run.data.inputs)
    return " ".join([f"em select {names} --latent topics --k-range {max(1, k // 2)}-{2 * k}:{max(1, k // 2)}", *said])
