"""The mixtures of a run: which are fitted, how they are searched for, what is said and written of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from em_cli import memory
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.params_json import Params
from em_cli.engine.scoring import moments_of_scores
from em_cli.models.groups import Group
from em_cli.models.specification import SEARCH
from em_cli.outputs.document import Context, Scored, document, scored
from em_cli.outputs.folder import Content, Written, write_file
from em_cli.outputs.packing import packed
from em_cli.outputs.run_folder import RunFolder
from em_cli.outputs.score_files import form_of
from em_cli.printable import say
from em_cli.runs.certainty import errors_of
from em_cli.runs.deliver import Delivery, Text, context_of, tables_of
from em_cli.runs.fitted_rows import of_top, responsibilities
from em_cli.runs.other_families import OTHER_FAMILIES, Refits, families_found, warn_of_families
from em_cli.runs.read import cluster_of
from em_cli.runs.run import Run
from em_cli.runs.score_parts import in_parts, written_in_parts
from em_cli.runs.search_plan import check_memory
from em_cli.runs.stdout import plan_text
from em_cli.runs.tasks import Tasks, tasks_of
from em_cli.runs.warnings import warn_of_fit
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.search import Plan, Task, search
from em_cli.search.time_estimate import seconds
from em_cli.search.too_few_rows import too_few_rows


@dataclass(frozen=True, slots=True, eq=False)
class Mixtures:
    """The models to fit, and the run that they are fitted in."""

    run: Run
    wanted: Tasks

    @staticmethod
    def of(run: Run) -> Mixtures:
        """Those that are wanted; `UsageError` or `DataError` if they cannot be fitted to these data."""
        settings, data = run.settings, run.data
        mixtures = Mixtures(run, tasks_of(settings, data, observe=run.record.observe))
        if settings.config.family != SEARCH or run.only_planned:
            return mixtures
        with run.record.timed(OTHER_FAMILIES):
            more = families_found(mixtures._refits, mixtures.wanted)
        return Mixtures(run, tasks_of(settings, data, mixtures.wanted.survey, [(), *more])) if more else mixtures

    @property
    def _refits(self) -> Refits:
        run, settings, told = self.run, self.run.settings, ""
        if simpler := self.wanted.simpler:
            settings = replace(settings, config=settings.config.model_copy(update={"covariance": list(simpler)}))
            told = f"--covariance {','.join(simpler)}"
        return Refits(
            settings, run.data, self.wanted.survey, run.runner, run.plan, run.halt, run.record.observe, told=told
        )

    def plan(self) -> str:
        """What would be done."""
        run, tasks = self.run, self.wanted.tasks
        took = seconds(tasks, self.wanted.survey, run.runner, run.plan, run.settings.effort)
        return plan_text(run, tasks, took)

    def search(self) -> list[Fitted]:
        """Fit the models; where one has no sound fit, with a weak prior. Refused if memory would not do."""
        run, wanted = self.run, self.wanted
        memory.give_back()  # of what was read and surveyed
        check_memory(run.settings.config, run.data, wanted.tasks, run.plan)
        fits, possible = dict[int, Fitted](), dict[int, Task]()
        refuses, able = run.plan.algorithm.refuses, wanted.with_prior(range(len(wanted.tasks)))
        able = {place: task for place, task in able.items() if not refuses(task.model)}
        for place, task in enumerate(wanted.tasks):
            if place in able and (why := too_few_rows(task.model, wanted.survey)):
                fits[place] = Fitted(task.label, task.model.n_components, None, (), (), why)
            else:
                possible[place] = task
        fits |= self._searched(possible, run.plan)
        again = {
            place: task for place, task in able.items() if fits[place].chosen is None and fits[place].enough is None
        }
        if not run.halt():  # the last resort is not worth a long search
            found = self._searched(again, replace(run.plan, effort=run.plan.effort.after or EFFORTS["low"]))
            fits |= {place: replace(fitted, without_prior=fits[place]) for place, fitted in found.items()}
        return [fits[place] for place in range(len(wanted.tasks))]

    def _searched(self, tasks: Mapping[int, Task], plan: Plan) -> dict[int, Fitted]:
        """The fits of tasks, by their places."""
        if not tasks:
            return {}
        run, known = self.run, self.wanted.survey
        with run.record.timed("search", shown=False), run.record.clocked() as observe:
            fits = search(tuple(tasks.values()), known, run.runner, plan, observe, run.halt, run.checkpoint)
        return dict(zip(tasks, fits, strict=True))

    def context(self, groups: tuple[Group, ...]) -> Context:
        """What documents say beside a fit."""
        run = self.run
        return context_of(run.settings, run.data, groups, run.halt.reason or "interrupted")

    def scored(self, fitted: Fitted) -> ScoredMixture:
        """A fit of the only variant, as it is written."""
        context = self.context(self.wanted.groups)
        memory.give_back()  # of the search
        with self.run.record.timed("scoring"):
            return ScoredMixture(self, scored(fitted, context, self.run.data.source, self.run.runner), context)

    def look_further(self, fits: Sequence[Fitted], chosen: ScoredMixture) -> None:
        """Say whether BIC would be lower were columns taken otherwise."""
        with self.run.record.timed(OTHER_FAMILIES):
            context, fitted = chosen.context, chosen.result.fitted
            variant = self.wanted.variant_of(context.groups, fitted.label, context.latent)
            warn_of_families(self._refits, fits, variant, fitted.n_components, self.run.record)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMixture:
    """A fit as it is written, and what documents say beside it."""

    mixtures: Mixtures
    result: Scored
    context: Context

    @property
    def run(self) -> Run:
        """That of the fit, by which columns may be taken for something else."""
        run = self.mixtures.run
        return replace(run, data=replace(run.data, schema=self.context.schema))

    def warn(self) -> None:
        """Say what is doubtful about it."""
        run = self.mixtures.run
        run.warn_of_halt()
        if said := self.mixtures.wanted.why_simpler:
            run.record.warn("simpler_covariance", said)
        warn_of_fit(self.result, self.context, run.data, run.record)

    def document(self) -> Params:
        """The document of the fit, with all that there is to warn of."""
        run, result, weight_type = self.mixtures.run, self.result, self.context.weight_type
        with run.record.timed("standard errors"):
            wanted, cut = run.settings.config.standard_errors, bool(run.halt.reason)
            errors = errors_of(result, wanted, weight_type == "frequency", cut, run.runner)
            scores = moments_of_scores(result.loaded.model, result.loaded.parameters, result.source, run.runner)
        return document(result, self.context, run.record.warnings, errors, scores)

    def delivery(self, params: Params, text: Text, of_sweep: Mapping[str, Content] | None = None) -> Delivery:
        """What is written of it."""
        run, result = self.run, self.result
        settings, data, report = run.settings, run.data, run.settings.request.report
        self._tell_top()

        def of_rows(place: str) -> Content:
            form = form_of(place, settings.config.responsibilities_format)
            return responsibilities(result, data, settings.config, form)

        def drawn(folder: str, files: dict[str, Content], about: Manifest) -> Mapping[str, Content]:
            from em_cli.runs.plotting import drawn_of, fresh_run  # most runs draw nothing

            return drawn_of(fresh_run(folder, files, about, result, data, params), report)

        tables = tables_of(settings, data, params, result, in_parts(result, settings.config))
        return Delivery(result, params, tables, of_rows, text, of_sweep or {}, drawn, self._parts, self._labelled)

    def _tell_top(self) -> None:
        """Say so where of each row the likeliest component alone is written, and nobody has asked for that."""
        run = self.mixtures.run
        config, report, n = run.settings.config, run.settings.request.report, run.data.n_rows_read
        wanted = (run.folder or report.responsibilities_to) and not run.settings.request.screen.quiet
        if wanted and config.responsibilities is True and of_top(config, n):
            with suppress(OSError):
                say(
                    f"{n:,} rows: responsibilities.{config.responsibilities_format} has the likeliest component of "
                    "each, and its probability; --responsibilities all writes those of all components."
                )

    def _parts(self, folder: RunFolder) -> dict[str, Written]:
        """What others have written of the rows, if there are so many that they do."""
        run, config = self.run, self.run.settings.config
        if not in_parts(self.result, config):
            return {}
        return dict(written_in_parts(self.result, run.data, config, cluster_of(config), folder.aside))

    def _labelled(self) -> list[str]:
        """Write the copy of the data with labels, if it is asked for; what to say of it."""
        run, place = self.run, self.run.settings.request.report.labelled
        if not place:
            return []
        from em_cli.runs.labelled import data_labelled, labels_of_fit

        with run.record.timed("writing", shown=False):
            labels = labels_of_fit(self.result, run.data)
            copy = data_labelled(labels, run.settings.config.data.path, run.reading, run.data.data_sha256)
            write_file(place, packed(place, copy))
        return [] if place == "-" else [f"and {place}"]
