"""All that can be said against a run before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

from em_cli.config.choices import ELSEWHERE
from em_cli.display import check_screen
from em_cli.errors import UsageError
from em_cli.models.haplotypes import wanted_pairs
from em_cli.models.specification import check_family_options, needs_sequences
from em_cli.models.topics import wanted_topics
from em_cli.outputs.score_files import CSV, check_form, form_of
from em_cli.runs.climbing import ONLINE
from em_cli.runs.configure import Settings
from em_cli.runs.path_checks import check_free, check_has_place, check_places
from em_cli.runs.record import events_left_out
from em_cli.runs.resume import check_folder_options


def check_pairs(settings: Settings) -> None:
    """`UsageError` if something is asked for that haplotypes do not have."""
    config, report = settings.config, settings.request.report
    if not wanted_pairs(config):
        return
    of_rows = "pairs.csv has the pairs of each individual, and --no-responsibilities leaves it out."
    asked = {
        "--labelled": (report.labelled, of_rows),
        "--responsibilities all or top": (config.responsibilities in ("all", "top"), of_rows),
        "--responsibilities-format": (config.responsibilities_format != CSV, "pairs.csv is CSV."),
        "--plots": (report.plots, "em plot draws the run."),
        "--report": (report.report, "there is no page of haplotypes: em show."),
        "--early": (report.early, "they are fitted at once."),
    }
    for option, (value, instead) in asked.items():
        if value:
            raise UsageError(f"{option} does not go with --latent pairs: {instead}")


def check_forms(settings: Settings) -> None:
    """`UsageError` if a file is to be of a kind that cannot be written."""
    config, place = settings.config, settings.request.report.responsibilities_to
    form = config.responsibilities_format
    if form != CSV and wanted_topics(config) is not None:
        raise UsageError(f"--responsibilities-format {form} is about rows: documents.csv of topics is CSV.")
    check_form(form)
    if place is not None:
        check_form(form_of(place, form))


def check_early(settings: Settings) -> None:
    """`UsageError` where there is no fit of a sample to write before that of all rows."""
    place = settings.request.report.early
    if place is None:
        return
    if settings.request.compares:
        raise UsageError("--early writes the fit of one model: em fit has it.")
    if wanted_topics(settings.config) is not None or needs_sequences(settings.config):
        raise UsageError("--early writes the fit of a sample of rows, and here rows belong together. Leave it out.")
    if place == "-":
        raise UsageError("--early needs the name of a file: standard output is for the result itself.")


def check_endless(settings: Settings) -> None:
    """`UsageError` if something is asked for that needs all rows, and they are taken as they come; or the contrary."""
    config, report, options = settings.config, settings.request.report, settings.config.search.algorithm.options
    if not settings.endless:
        if own := [name for name in ("first", "every") if name in options and config.search.algorithm.name == ONLINE]:
            raise UsageError(
                f"{own[0]} of --algorithm online is about rows of standard input that are taken as they come: it goes "
                "with em fit -, and without --finish."
            )
        return
    asked = {
        "--labels": config.data.labels,
        "--weight-type sampling": config.data.weight_type == "sampling",
        "--missing model": config.data.missing == "model",
        "--inference": config.inference != "ml",
        "--prior": config.prior.name != "none",
        "--match": config.match,
        "--responsibilities": config.responsibilities not in (False, "none") or report.responsibilities_to,
        "--labelled": report.labelled,
        "--early": report.early,
        "--plots": report.plots,
        "--report": report.report,
        "--dask": config.runner.name == ELSEWHERE,
        "--checkpoint-every": report.checkpoint_every,
    }
    if refused := next((option for option, value in asked.items() if value), None):
        raise UsageError(
            f"{refused} does not go with rows that are looked at once, as --algorithm online looks at those of "
            "standard input. Leave it out; or --finish lbfgs reads them all first."
        )


def check_run(settings: Settings) -> None:
    """`UsageError` if an option makes no sense, an output is an input, or one of them lies in the run folder."""
    screen = settings.request.screen
    check_screen(screen.progress, screen.quiet, screen.verbose, screen.color)
    events_left_out(settings.request)
    report, data, folder = settings.request.report, settings.config.data.path, settings.folder
    single = {
        "--params": report.params,
        "--early": report.early,
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
    check_pairs(settings)
    check_forms(settings)
    check_early(settings)
    check_endless(settings)
    for path in (*data, *single.values()):
        inside = path not in (None, "-") and folder is not None
        if inside and Path(os.path.realpath(str(path))).is_relative_to(os.path.realpath(str(folder))):
            raise UsageError(f"{path} lies in the run folder {folder}, which is replaced as a whole.")
    check_free("--labelled", report.labelled, report.force or report.resume)
    for path in (report.params, report.early, report.responsibilities_to):
        check_has_place(path)
    if report.plots or report.report:
        from em_cli.runs.plotting import check_wanted  # most runs draw nothing

        check_wanted(report, folder)
    if not wanted_pairs(settings.config) and wanted_topics(settings.config) is None:
        check_family_options(settings.config)
    check_folder_options(report, folder)
