"""One run of `em fit` or `em select`, from what was asked for to its folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from em_cli import memory
from em_cli.criteria import CROSS_VALIDATION
from em_cli.engine.protocols import Runner
from em_cli.engine.scoring import moments_of_scores
from em_cli.errors import ExitStatus, NoFit
from em_cli.models.groups import Group
from em_cli.models.redrawn import as_units
from em_cli.models.specification import SEARCH
from em_cli.outputs.checkpoint_file import CheckpointFile
from em_cli.outputs.document import Context, Scored, document, scored
from em_cli.outputs.folder import Content, Written, write_file
from em_cli.outputs.left_out import CrossValidation
from em_cli.outputs.manifest import manifest, to_json
from em_cli.outputs.packing import packed
from em_cli.outputs.run_folder import RunFolder
from em_cli.outputs.score_files import form_of
from em_cli.outputs.selection import Selection, table
from em_cli.printable import say
from em_cli.runs import warnings
from em_cli.runs.certainty import errors_of
from em_cli.runs.configure import Settings, configured
from em_cli.runs.deliver import Delivery, context_of, model_chosen, run_files, tables_of
from em_cli.runs.fitted_rows import of_top, responsibilities
from em_cli.runs.interruption import Halt, interruptible
from em_cli.runs.manifest_facts import Ended, facts
from em_cli.runs.other_families import Refits, families_found, warn_of_families
from em_cli.runs.read import cluster_of, read_data, reading_of_run
from em_cli.runs.record import Record, tell_doubts, watched
from em_cli.runs.request import Request
from em_cli.runs.request_checks import check_run
from em_cli.runs.resume import checkpoint_of, is_done, is_there, result_again, run_folder, warnings_again
from em_cli.runs.score_parts import in_parts, written_in_parts
from em_cli.runs.search_plan import check_memory, check_reach, deadline_of, plan_of, runner_of, store_of
from em_cli.runs.stdout import plan_text
from em_cli.runs.stream_state import awaited_of
from em_cli.runs.tasks import Tasks, tasks_of
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.search import Plan, Task, search
from em_cli.search.survey import Survey
from em_cli.search.time_estimate import seconds
from em_cli.search.too_few_rows import too_few_rows
from em_cli.sources.awaited import Awaited
from em_cli.sources.options import ReadOptions
from em_cli.sources.spool import Spool
from em_cli.sources.table import Data


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run on its way: what it is to do, what it has read, how it searches, where its results go."""

    settings: Settings
    reading: ReadOptions
    data: Data
    plan: Plan
    runner: Runner
    record: Record
    halt: Halt
    folder: RunFolder | None
    checkpoint: CheckpointFile | None
    awaited: Awaited | None = None  # hands out the rows that follow those of the data

    @property
    def only_planned(self) -> bool:
        """Whether nothing is to be fitted."""
        return self.settings.request.config.dry_run

    def tasks(self) -> Tasks:
        """The models to fit; `UsageError` or `DataError` if they cannot be fitted to these data."""
        wanted = tasks_of(self.settings, self.data)
        if self.settings.config.family != SEARCH or self.only_planned:
            return wanted
        with self.record.timed("other families"):
            more = families_found(self._refits(wanted), wanted)
        return tasks_of(self.settings, self.data, wanted.survey, [(), *more]) if more else wanted

    def _refits(self, wanted: Tasks) -> Refits:
        return Refits(self.settings, self.data, wanted.survey, self.runner, self.plan, self.halt)

    def of_choice(self, context: Context) -> Run:
        """The run of the fit that was chosen, by which columns may be taken for something else."""
        return replace(self, data=replace(self.data, schema=context.schema))

    def search(self, wanted: Tasks) -> list[Fitted]:
        """Fit the models; where one has no sound fit, with a weak prior. Refused if memory would not do."""
        memory.give_back()  # of what was read and surveyed
        check_memory(self.settings.config, self.data, wanted.tasks, self.plan)
        fits, possible = dict[int, Fitted](), dict[int, Task]()
        refuses, able = self.plan.algorithm.refuses, wanted.with_prior(range(len(wanted.tasks)))
        able = {place: task for place, task in able.items() if not refuses(task.model)}
        for place, task in enumerate(wanted.tasks):
            if place in able and (why := too_few_rows(task.model, wanted.survey)):
                fits[place] = Fitted(task.label, task.model.n_components, None, (), (), why)
            else:
                possible[place] = task
        fits |= self._searched(possible, wanted.survey, self.plan)
        again = {
            place: task for place, task in able.items() if fits[place].chosen is None and fits[place].enough is None
        }
        if not self.halt():  # what is not to be ranked is not worth a long search
            plan = self.plan if len(again) == len(fits) else replace(self.plan, effort=EFFORTS["low"])
            found = self._searched(again, wanted.survey, plan)
            fits |= {place: replace(fitted, without_prior=fits[place]) for place, fitted in found.items()}
        return [fits[place] for place in range(len(wanted.tasks))]

    def _searched(self, tasks: Mapping[int, Task], known: Survey, plan: Plan) -> dict[int, Fitted]:
        """The fits of tasks, by their places."""
        if not tasks:
            return {}
        with self.record.timed("search", shown=False), self.record.clocked() as observe:
            fits = search(
                tuple(tasks.values()),
                known,
                self.runner,
                plan,
                observe,
                self.halt,
                self.checkpoint,
            )
        return dict(zip(tasks, fits, strict=True))

    def give_up(self, fitted: Fitted) -> NoReturn:
        """End a run that has no fit to write: interrupted before there was any, or `NoFit`."""
        interruption = self.halt.interruption
        if interruption():
            further = " The same command with --resume goes on." if self.checkpoint else ""
            with suppress(OSError):
                say(f"interrupted before there was a sound fit: no result was written.{further}")
            raise SystemExit(interruption.status)
        raise NoFit(warnings.no_fit(fitted, self.data))

    def score(self, fitted: Fitted, groups: tuple[Group, ...]) -> tuple[Scored, Context]:
        """The fit as it is written, and what documents say beside it."""
        context = self._context(groups)
        memory.give_back()  # of the search
        with self.record.timed("scoring"):
            return scored(fitted, context, self.data.source, self.runner), context

    def compare(self, fits: list[Fitted], wanted: Tasks) -> Selection:
        """The table of the fits, and which of them is chosen."""
        context, criterion = self._context(wanted.groups), self.settings.config.criterion
        source, observe = self.data.source, self.record.observe
        left_out = self._left_out(fits, wanted) if criterion == CROSS_VALIDATION else None
        with self.record.timed("scoring"):
            return table(
                fits, wanted.too_large, wanted.variants, context, source, self.runner, criterion, observe, left_out
            )

    def _left_out(self, fits: list[Fitted], wanted: Tasks) -> CrossValidation | None:
        """What the fits say of rows left out; None if there are no fits."""
        found = [(fitted, fitted.chosen) for fitted in fits if fitted.chosen is not None]
        if not found:
            return None
        config, results = self.settings.config, [result for _, result in found]
        with self.record.timed("cross-validation"):
            from em_cli.inference.cross_validation import cross_validated

            source = wanted.survey.source
            units = as_units(source) if self._context(wanted.groups).weight_type == "frequency" else source
            predicted = cross_validated(results, units, config.folds, config.seed, self.runner, self.halt)
        if predicted is None:
            raise NoFit(warnings.not_validated(self.halt.reason, self.checkpoint is not None))
        warnings.warn_of_left_out(predicted.n_left_out, self.record)
        return CrossValidation(predicted, {id(fitted): place for place, (fitted, _) in enumerate(found)})

    def _context(self, groups: tuple[Group, ...]) -> Context:
        return context_of(self.settings, self.data, groups, self.halt.reason or "interrupted")

    def warn(self, result: Scored, context: Context) -> None:
        """Say what is doubtful about the fit that is chosen."""
        warnings.warn_of_halt(self.halt.reason, self.settings.config, self.record, self.checkpoint is not None)
        warnings.warn_of_fit(result, context, self.data, self.record)

    def look_further(self, fits: list[Fitted], wanted: Tasks, result: Scored, context: Context) -> None:
        """Say whether BIC would be lower were columns taken otherwise."""
        with self.record.timed("other families"):
            variant = wanted.variant_of(context.groups, result.fitted.label, context.latent)
            warn_of_families(self._refits(wanted), fits, variant, result.fitted.n_components, self.record)

    def document(self, result: Scored, context: Context) -> dict[str, Any]:
        """The document of the fit, with all that there is to warn of."""
        config = self.settings.config
        with self.record.timed("standard errors"):
            errors = errors_of(
                result, config.standard_errors, context.weight_type == "frequency", bool(self.halt.reason), self.runner
            )
            model, parameters = result.loaded.model, result.loaded.parameters
            scores = moments_of_scores(model, parameters, result.source, self.runner)
        return document(result, context, self.record.warnings, errors, scores)

    def announce(self, params: Mapping[str, Any]) -> None:
        """Tell those who watch what came of the fit."""
        self.record.observe(model_chosen(params))

    def deliver(
        self,
        result: Scored,
        params: Mapping[str, object],
        fits: list[Fitted],
        more: Mapping[str, Iterable[str]],
    ) -> list[str]:
        """Write the run folder and the single files asked for; the names of what is in the folder."""
        self._tell_top()
        settings, data, report = self.settings, self.data, self.settings.request.report

        def of_rows(place: str) -> Content:
            return responsibilities(
                result, data, settings.config, form_of(place, settings.config.responsibilities_format)
            )

        def drawn(folder: str, files: dict[str, Content], about: Mapping[str, object]) -> Mapping[str, Content]:
            from em_cli.runs.plotting import drawn_of, fresh_run  # most runs draw nothing

            return drawn_of(fresh_run(folder, files, about, result, data, params), report)

        tables = tables_of(settings, data, params, result, in_parts(result, settings.config))
        delivery = Delivery(result, tables, of_rows, drawn, lambda folder: self._parts(folder, result))
        names = self.write(delivery, params, fits, more)
        if report.labelled:
            from em_cli.runs.labelled import data_labelled, labels_of_fit

            with self.record.timed("writing", shown=False):
                config, labels = self.settings.config, labels_of_fit(result, self.data)
                copy = data_labelled(labels, config.data.path, self.reading, self.data.data_sha256)
                write_file(report.labelled, packed(report.labelled, copy))
        return names if report.labelled in (None, "-") else [*names, f"and {report.labelled}"]

    def _tell_top(self) -> None:
        """Say so where of each row the likeliest component alone is written, and nobody has asked for that."""
        config, report, n = self.settings.config, self.settings.request.report, self.data.n_rows_read
        wanted = (self.folder or report.responsibilities_to) and not self.settings.request.screen.quiet
        if wanted and config.responsibilities is True and of_top(config, n):
            with suppress(OSError):
                say(
                    f"{n:,} rows: responsibilities.{config.responsibilities_format} has the likeliest component of "
                    "each, and its probability; --responsibilities all writes those of all components."
                )

    def about(self, result: Ended, params: Mapping[str, object], fits: Sequence[Fitted]) -> dict[str, object]:
        """The manifest of the run."""
        checkpoint = self.checkpoint
        resumed_after = checkpoint.seconds if checkpoint and checkpoint.continues else None
        told = facts(self.settings, self.data, self.record, result, params, fits, resumed_after)
        return manifest(self.settings.request.command, self.record.seconds, told)

    def write(
        self, delivery: Delivery, params: Mapping[str, object], fits: list[Fitted], more: Mapping[str, Content]
    ) -> list[str]:
        """Write the run folder, its document and what is said of its rows; the names of what is in the folder."""
        report, names = self.settings.request.report, list[str]()
        with self.record.timed("writing"):
            if self.folder:
                about, parts = self.about(delivery.result, params, fits), delivery.parts(self.folder)
                files = {**run_files(self.settings, params, delivery.tables, fits), **more}
                if report.plots or report.report:
                    files |= delivery.drawn(self.folder.path, files, about)
                names = self.folder.deliver({**files, **parts}, about, finished=not self.halt.reason)
            if report.params:
                write_file(report.params, [to_json(params)])
            if report.responsibilities_to:
                write_file(report.responsibilities_to, delivery.of_rows(report.responsibilities_to))
        return names

    def _parts(self, folder: RunFolder, result: Scored) -> dict[str, Written]:
        """What others have written of the rows, if there are so many that they do."""
        config = self.settings.config
        if not in_parts(result, config):
            return {}
        return dict(written_in_parts(result, self.data, config, cluster_of(config), folder.aside))

    def say(self, text: Iterable[str]) -> None:
        """What is to stand on standard output when the run has ended."""
        self.record.said = text

    def say_plan(self, wanted: Tasks) -> None:
        """Say what would be done."""
        took = seconds(wanted.tasks, wanted.survey, self.runner, self.plan, self.settings.effort)
        self.say([plan_text(self.settings, self.data, wanted.tasks, self.plan, took)])


def _to_make(request: Request) -> AbstractContextManager[Request]:
    """The run that is asked for, or that of the folder to verify."""
    if request.report.verify is None:
        return nullcontext(request)
    from em_cli.runs.verify import verified

    return verified(request, str(request.report.verify))


@contextmanager
def opened(request: Request) -> Iterator[Run | None]:
    """A run, for as long as it lasts; None if it had ended before and only its result is wanted again.

    At its end its result is said, and the program ends with the status that the run deserves.
    """
    begun = time.monotonic()
    with _to_make(request) as asked, closing(Spool()) as spool:
        settings = configured(asked)
        check_run(settings)
        reading = reading_of_run(settings.config, spool if asked.report.labelled else None)
        there = not settings.request.config.dry_run and is_there(settings)
        with (
            interruptible() as interruption,
            run_folder(settings, there) as folder,
            watched(asked) as observe,
            ExitStack() as stack,
        ):
            record = Record(observe)
            store = stack.enter_context(closing(store_of(settings.config, folder)))
            awaited = awaited_of(settings, folder)
            reading = replace(reading, store=store)
            data = None if there else read_data(settings.config, reading, record, awaited)
            if data is not None:
                check_reach(settings.config, data)
            if data is None or (folder and is_done(folder, settings, data)):
                record.said = result_again(str(settings.folder), settings, reading)
                record.warnings += warnings_again(str(settings.folder))
                yield None
            else:
                yield Run(
                    settings,
                    reading,
                    data,
                    plan_of(settings.config, settings.effort, settings.start is not None),
                    runner_of(settings.config),
                    record,
                    Halt(interruption, deadline_of(settings.config, begun)),
                    folder,
                    checkpoint_of(folder, settings, data),
                    awaited,
                )
        write_file("-", record.said)
        if interruption():
            raise SystemExit(interruption.status)
        if asked.report.strict and record.doubts:
            tell_doubts(record, asked.screen.quiet)
            raise SystemExit(ExitStatus.DOUBTFUL)
