"""All that can be said against a run before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

from em_cli.display import check_screen
from em_cli.errors import UsageError
from em_cli.models.topics import wanted_topics
from em_cli.outputs.score_files import CSV, check_form, form_of
from em_cli.runs.configure import Settings
from em_cli.runs.path_checks import check_free, check_places
from em_cli.runs.record import events_left_out
from em_cli.runs.resume import check_folder_options


def check_forms(settings: Settings) -> None:
    """`UsageError` if a file is to be of a kind that cannot be written."""
    config, place = settings.config, settings.request.report.responsibilities_to
    form = config.responsibilities_format
    if form != CSV and wanted_topics(config) is not None:
        raise UsageError(f"--responsibilities-format {form} is about rows: documents.csv of topics is CSV.")
    check_form(form)
    if place is not None:
        check_form(form_of(place, form))


def check_run(settings: Settings) -> None:
    """`UsageError` if an option makes no sense, an output is an input, or one of them lies in the run folder."""
    screen = settings.request.screen
    check_screen(screen.progress, screen.quiet, screen.verbose, screen.color)
    events_left_out(settings.request)
    report, data, folder = settings.request.report, settings.config.data.path, settings.folder
    single = {
        "--params": report.params,
        "--responsibilities": report.responsibilities_to,
        "--labelled": report.labelled,
        "--events": report.events,
    }
    check_places([*data, settings.request.config.config], single)
    if report.labelled and wanted_topics(settings.config) is not None:
        raise UsageError(
            "--labelled adds a component to each row; topics are of tokens: documents.csv has their shares."
        )
    if settings.config.responsibilities in ("all", "top") and wanted_topics(settings.config) is not None:
        raise UsageError(
            f"--responsibilities {settings.config.responsibilities} is about rows; topics are of tokens: documents.csv "
            "has the shares of all of them in each document, and --no-responsibilities leaves it out."
        )
    check_forms(settings)
    check_free("--labelled", report.labelled, report.force or report.resume)
    if report.plots or report.report:
        from em_cli.runs.plotting import check_wanted  # most runs draw nothing

        check_wanted(report, folder)
    check_folder_options(report, folder)
    if folder is None:
        return
    for path in (*data, *single.values()):
        if path not in (None, "-") and Path(os.path.realpath(str(path))).is_relative_to(os.path.realpath(folder)):
            raise UsageError(f"{path} lies in the run folder {folder}, which is replaced as a whole.")
