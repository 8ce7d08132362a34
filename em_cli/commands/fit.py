"""`em fit`: fit one mixture."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from typer import Argument

from em_cli.commands.options import (
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
        from em_cli.commands.auditing import verify

        verify(fit, "fit", options)
        return
    begun = time.monotonic()
    from em_cli.commands import doubts, results, saying, setup, unfinished, wanted
    from em_cli.commands.drawing import check_wanted
    from em_cli.commands.interruption import Halt, interruptible
    from em_cli.commands.places import check_run
    from em_cli.commands.session import Record, watched
    from em_cli.errors import NoFit, UsageError
    from em_cli.outputs.folder import write_file

    config = setup.configuration(
        paths, (column_options, reading, model_options, search_options, place, folder_options), config_options
    )
    shown = setup.stdout_format(report, ("human", "json"), screen.quiet)
    k = setup.one_k(config)
    check_run(config, config_options, report)
    check_wanted(report, setup.folder_for(config, report))
    with (
        interruptible() as interruption,
        unfinished.run_folder(config, report, config_options.dry_run) as folder,
        watched("fit", screen, report) as observe,
    ):
        record, halt = Record(observe), Halt(interruption, setup.deadline_of(config, begun))
        data = setup.read_data(config, record)
        if folder and unfinished.is_done(folder, config, data, "fit"):
            unfinished.say_done(folder, report, shown, screen)
            return

        from em_cli.outputs.document import document, scored
        from em_cli.outputs.model_file import start_parameters
        from em_cli.search.models import WEAK, lacks_prior, models, variants
        from em_cli.search.restarts import Task, search

        family = wanted.one_family(config)
        groups = wanted.groups_of(config, data, family)
        found = variants({family: groups}, config.covariance)
        if len(found) > 1:
            raise UsageError(f"fit takes one covariance structure, not {len(found)}; em select compares them.")
        latent, prior = wanted.latent_of(config, data, (k,)), wanted.prior_of(config)
        columns, [(label, model)] = models(data.schema, data.source, found, (k,), latent, prior)
        setup.check_rows(data, k, columns)
        doubts.warn_of_copies(data, columns, groups, record)
        setup.check_labels(data, k)
        plan, runner, given = setup.plan_of(config), setup.runner_of(config), setup.start_file(config)
        task = Task(label, model, start_parameters(given, model) if given else None)
        if config_options.dry_run:
            write_file("-", [saying.plan_text(config, data, [task], plan, setup.folder_for(config, report))])
            return
        setup.check_memory(config, data, [task], plan)
        journal = unfinished.checkpoint_of(folder, config, data, "fit", report)
        with record.timed("search"):
            (fitted,) = search([task], data.source, columns, runner, plan, observe, halt, journal)
            if fitted.chosen is None and not (given or prior or lacks_prior(model.family) or halt()):
                doubts.warn_of_prior(fitted, record)
                again = Task(label, replace(model, prior=WEAK))
                (fitted,) = search([again], data.source, columns, runner, plan, observe, halt, journal)
        if fitted.chosen is None:
            unfinished.give_up(interruption, journal)
            raise NoFit(doubts.no_fit(fitted))
        context = results.context_of(config, data, groups, halt)
        with record.timed("scoring"):
            result = scored(fitted, context, data.source, runner)
        doubts.warn_of_halt(halt, config, record, journal is not None)
        doubts.warn_of_fit(result, context, data, record)
        params = document(result, context, record.warnings)
        results.announce(params, observe)
        occasion = results.Occasion("fit", config, data, record, report, folder, journal, halt)
        written = results.deliver(occasion, result, params, [fitted], {})
    saying.say_fit(shown, params, result, data, folder.path if folder else None, written, screen)
    saying.finish(record, report, interruption)
