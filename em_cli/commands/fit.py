"""`em fit`: fit one mixture."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from em_cli.options import (
    CertaintyOptions,
    ColumnOptions,
    ConfigOptions,
    FitModelOptions,
    FolderOptions,
    PlaceOptions,
    ReadingOptions,
    RegressionOptions,
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
    regression: RegressionOptions,
    search_options: SearchOptions,
    certainty: CertaintyOptions,
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
    from em_cli.runs.request import Request
    from em_cli.runs.run import opened
    from em_cli.runs.stdout import fit_text

    sections = (column_options, reading, model_options, regression, search_options, certainty, place, folder_options)
    with opened(Request("fit", paths or (), sections, config_options, report, screen)) as run:
        if run is None:
            return
        wanted = run.tasks()
        if run.only_planned:
            run.say_plan(wanted)
            return
        (fitted,) = run.search(wanted)
        if fitted.chosen is None:
            run.give_up(fitted)
        result, context = run.score(fitted, wanted.groups)
        run.warn(result, context)
        run.look_further([fitted], wanted, result, context)
        params = run.document(result, context)
        run.announce(params)
        written = run.deliver(result, params, [fitted], {})
        run.say(fit_text(run.settings, run.data, result, params, written))
