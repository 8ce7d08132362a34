"""`em select`: fit a range of mixtures and choose one by a criterion."""

from __future__ import annotations

import time
from typing import Annotated

from typer import Argument

from em_cli.options import (
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
        from em_cli.runs.verify import verify

        verify(select, "select", options)
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
    shown = configure.stdout_format(report, ("human", "json", "csv"), screen.quiet)
    criterion = configure.criterion_of(config)
    check_run(config, config_options, report)
    check_wanted(report, configure.folder_for(config, report))
    with (
        interruptible() as interruption,
        resume.run_folder(config, report, config_options.dry_run) as folder,
        watched("select", screen, report) as observe,
    ):
        record, halt = Record(observe), Halt(interruption, plan.deadline_of(config, begun))
        data = read.read_data(config, record)
        if folder and resume.is_done(folder, config, data, "select"):
            resume.say_done(folder, report, shown, screen)
            return

        from em_cli.models.variants import models, variants
        from em_cli.outputs.document import document
        from em_cli.outputs.selection import selection_text, table
        from em_cli.search.search import Task, search

        if configure.start_file(config):
            raise UsageError("--start FILE gives parameters for one number of components: it goes with em fit.")
        families = {name: specification.groups_of(config, data, name) for name in specification.families_of(config)}
        tried = variants(families, config.covariance)
        ks = configure.many_k(config)
        read.check_labels(data, min(ks))
        latent = specification.latent_of(config, data, ks)
        columns, made = models(data.schema, data.source, tried, ks, latent, specification.prior_of(config))
        warnings.warn_of_copies(data, columns, tried[0].groups, record)
        feasible = read.distinct_rows(data, columns)
        tasks = [Task(label, model) for label, model in made if model.n_components <= feasible]
        if not tasks:
            read.check_rows(data, made[0][1].n_components, columns)
        wanted, runner = plan.plan_of(config), plan.runner_of(config)
        if config_options.dry_run:
            write_file("-", [stdout.plan_text(config, data, tasks, wanted, configure.folder_for(config, report))])
            return
        plan.check_memory(config, data, tasks, wanted)
        checkpoint = resume.checkpoint_of(folder, config, data, "select", report)
        with record.timed("search"):
            fits = search(tasks, data.source, columns, runner, wanted, observe, halt, checkpoint)
        context = deliver.context_of(config, data, tried[0].groups, halt)
        with record.timed("scoring"):
            too_large = [(label, model.n_components) for label, model in made if model.n_components > feasible]
            selection = table(fits, too_large, tried, context, data.source, runner, criterion, observe)
        if selection.chosen is None or selection.context is None:
            resume.give_up(interruption, checkpoint)
            raise NoFit(warnings.no_fit(fits[0]))
        context = selection.context
        warnings.warn_of_halt(halt, config, record, checkpoint is not None)
        warnings.warn_of_fit(selection.chosen, context, data, record)
        warnings.warn_of_choice(selection, context.effort, record)
        params = document(selection.chosen, context, record.warnings)
        more = {"selection.csv": selection_text(selection)}
        occasion = deliver.Occasion("select", config, data, record, report, folder, checkpoint, halt)
        written = deliver.deliver(occasion, selection.chosen, params, fits, more)
    stdout.say_selection(shown, selection, params, data, folder.path if folder else None, written, screen)
    stdout.finish(record, report, interruption)
