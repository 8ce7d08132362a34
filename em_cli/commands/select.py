"""`em select`: fit a range of mixtures and choose one by a criterion."""

from __future__ import annotations

import time
from typing import Annotated

from typer import Argument

from em_cli.commands.options import (
    ColumnOptions,
    ConfigOptions,
    FolderOptions,
    PlaceOptions,
    ReadingOptions,
    ReportOptions,
    ScreenOptions,
    SearchOptions,
    SelectModelOptions,
    grouped,
)


@grouped
def select(
    column_options: ColumnOptions,
    reading: ReadingOptions,
    model_options: SelectModelOptions,
    search_options: SearchOptions,
    place: PlaceOptions,
    folder_options: FolderOptions,
    config_options: ConfigOptions,
    report: ReportOptions,
    screen: ScreenOptions,
    paths: Annotated[list[str] | None, Argument(metavar="DATA...", help="CSV files; - is standard input.")] = None,
) -> None:
    """Choose the number of components.

    Example: em select data.csv --k-range 1-10
    """
    options = dict(locals())
    if report.verify is not None:
        from em_cli.commands.auditing import verify

        verify(select, "select", options)
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
    shown = setup.stdout_format(report, ("human", "json", "csv"), screen.quiet)
    criterion = setup.criterion_of(config)
    check_run(config, config_options, report)
    check_wanted(report, setup.folder_for(config, report))
    with (
        interruptible() as interruption,
        unfinished.run_folder(config, report, config_options.dry_run) as folder,
        watched("select", screen, report) as observe,
    ):
        record, halt = Record(observe), Halt(interruption, setup.deadline_of(config, begun))
        data = setup.read_data(config, record)
        if folder and unfinished.is_done(folder, config, data, "select"):
            unfinished.say_done(folder, report, shown, screen)
            return

        from em_cli.outputs.document import document
        from em_cli.outputs.selection import selection_text, table
        from em_cli.search.models import models, variants
        from em_cli.search.restarts import Task, search

        if setup.start_file(config):
            raise UsageError("--start FILE gives parameters for one number of components: it goes with em fit.")
        families = {name: wanted.groups_of(config, data, name) for name in wanted.families_of(config)}
        tried = variants(families, config.covariance)
        ks = setup.many_k(config)
        setup.check_labels(data, min(ks))
        latent = wanted.latent_of(config, data, ks)
        columns, made = models(data.schema, data.source, tried, ks, latent, wanted.prior_of(config))
        doubts.warn_of_copies(data, columns, tried[0].groups, record)
        feasible = setup.distinct_rows(data, columns)
        tasks = [Task(label, model) for label, model in made if model.n_components <= feasible]
        if not tasks:
            setup.check_rows(data, made[0][1].n_components, columns)
        plan, runner = setup.plan_of(config), setup.runner_of(config)
        if config_options.dry_run:
            write_file("-", [saying.plan_text(config, data, tasks, plan, setup.folder_for(config, report))])
            return
        setup.check_memory(config, data, tasks, plan)
        journal = unfinished.checkpoint_of(folder, config, data, "select", report)
        with record.timed("search"):
            fits = search(tasks, data.source, columns, runner, plan, observe, halt, journal)
        context = results.context_of(config, data, tried[0].groups, halt)
        with record.timed("scoring"):
            too_large = [(label, model.n_components) for label, model in made if model.n_components > feasible]
            selection = table(fits, too_large, tried, context, data.source, runner, criterion, observe)
        if selection.chosen is None or selection.context is None:
            unfinished.give_up(interruption, journal)
            raise NoFit(doubts.no_fit(fits[0]))
        context = selection.context
        doubts.warn_of_halt(halt, config, record, journal is not None)
        doubts.warn_of_fit(selection.chosen, context, data, record)
        doubts.warn_of_choice(selection, context.effort, record)
        params = document(selection.chosen, context, record.warnings)
        more = {"selection.csv": selection_text(selection)}
        occasion = results.Occasion("select", config, data, record, report, folder, journal, halt)
        written = results.deliver(occasion, selection.chosen, params, fits, more)
    saying.say_selection(shown, selection, params, data, folder.path if folder else None, written, screen)
    saying.finish(record, report, interruption)
