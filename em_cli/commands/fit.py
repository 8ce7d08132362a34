"""`em fit`: fit one mixture."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from typer import Argument

from em_cli.options import (
    ColumnOptions,
    ConfigOptions,
    FitModelOptions,
    FolderOptions,
    PlaceOptions,
    ReadingOptions,
    ReportOptions,
    ScreenOptions,
    SearchOptions,
    grouped,
)


@grouped
def fit(
    column_options: ColumnOptions,
    reading: ReadingOptions,
    model_options: FitModelOptions,
    search_options: SearchOptions,
    place: PlaceOptions,
    folder_options: FolderOptions,
    config_options: ConfigOptions,
    report: ReportOptions,
    screen: ScreenOptions,
    paths: Annotated[list[str] | None, Argument(metavar="DATA...", help="CSV files; - is standard input.")] = None,
) -> None:
    """Fit one mixture.

    Example: em fit data.csv -k 3
    """
    options = dict(locals())
    if report.verify is not None:
        from em_cli.runs.verify import verify

        verify(fit, "fit", options)
        return
    begun = time.monotonic()
    from em_cli.errors import NoFit, UsageError
    from em_cli.models import specification
    from em_cli.outputs.folder import write_file
    from em_cli.runs import configure, deliver, plan, read, resume, stdout, warnings
    from em_cli.runs.interruption import Halt, interruptible
    from em_cli.runs.path_checks import check_run
    from em_cli.runs.plotting import check_wanted
    from em_cli.runs.record import Record, watched

    config = configure.configuration(
        paths, (column_options, reading, model_options, search_options, place, folder_options), config_options
    )
    shown = configure.stdout_format(report, ("human", "json"), screen.quiet)
    k = configure.one_k(config)
    check_run(config, config_options, report)
    check_wanted(report, configure.folder_for(config, report))
    with (
        interruptible() as interruption,
        resume.run_folder(config, report, config_options.dry_run) as folder,
        watched("fit", screen, report) as observe,
    ):
        record, halt = Record(observe), Halt(interruption, plan.deadline_of(config, begun))
        data = read.read_data(config, record)
        if folder and resume.is_done(folder, config, data, "fit"):
            resume.say_done(folder, report, shown, screen)
            return

        from em_cli.models.variants import WEAK, models, variants
        from em_cli.outputs.document import document, scored
        from em_cli.outputs.model_file import start_parameters
        from em_cli.search.search import Task, search

        family = specification.one_family(config)
        groups = specification.groups_of(config, data, family)
        found = variants({family: groups}, config.covariance)
        if len(found) > 1:
            raise UsageError(f"fit takes one covariance structure, not {len(found)}; em select compares them.")
        latent, prior = specification.latent_of(config, data, (k,)), specification.prior_of(config)
        columns, [(label, model)] = models(data.schema, data.source, found, (k,), latent, prior)
        read.check_rows(data, k, columns)
        warnings.warn_of_copies(data, columns, groups, record)
        read.check_labels(data, k)
        wanted, runner, given = plan.plan_of(config), plan.runner_of(config), configure.start_file(config)
        task = Task(label, model, start_parameters(given, model) if given else None)
        if config_options.dry_run:
            write_file("-", [stdout.plan_text(config, data, [task], wanted, configure.folder_for(config, report))])
            return
        plan.check_memory(config, data, [task], wanted)
        checkpoint = resume.checkpoint_of(folder, config, data, "fit", report)
        with record.timed("search"):
            (fitted,) = search([task], data.source, columns, runner, wanted, observe, halt, checkpoint)
            if fitted.chosen is None and not (given or prior or model.family.penalty is None or halt()):
                warnings.warn_of_prior(fitted, record)
                again = Task(label, replace(model, prior=WEAK))
                (fitted,) = search([again], data.source, columns, runner, wanted, observe, halt, checkpoint)
        if fitted.chosen is None:
            resume.give_up(interruption, checkpoint)
            raise NoFit(warnings.no_fit(fitted))
        context = deliver.context_of(config, data, groups, halt)
        with record.timed("scoring"):
            result = scored(fitted, context, data.source, runner)
        warnings.warn_of_halt(halt, config, record, checkpoint is not None)
        warnings.warn_of_fit(result, context, data, record)
        params = document(result, context, record.warnings)
        deliver.announce(params, observe)
        occasion = deliver.Occasion("fit", config, data, record, report, folder, checkpoint, halt)
        written = deliver.deliver(occasion, result, params, [fitted], {})
    stdout.say_fit(shown, params, result, data, folder.path if folder else None, written, screen)
    stdout.finish(record, report, interruption)
