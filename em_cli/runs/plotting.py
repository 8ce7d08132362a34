"""From runs to pictures to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from em_cli.display.search_words import ending, trust
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.params_json import Params
from em_cli.errors import UsageError
from em_cli.options import ReportOptions
from em_cli.outputs.any_model import read_any
from em_cli.outputs.document import Scored
from em_cli.outputs.folder import Content
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.registry import did_you_mean
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.haplotype_pictures import haplotype_pictures
from em_cli.reports.how_sure import Certainty
from em_cli.reports.kind import Picture
from em_cli.reports.page import page
from em_cli.reports.picture import FORMATS, kinds_named, pictures_of, rendered
from em_cli.reports.style import LIGHT, Theme
from em_cli.reports.topic_pictures import TopicRun, topic_pictures
from em_cli.reports.traces import traces
from em_cli.runs.deliver import lines_of
from em_cli.runs.plotted_rows import rows_of
from em_cli.runs.read_back import parsed, read_run, run_of
from em_cli.runs.read_resampling import certainty_of, tests_in
from em_cli.runs.topic_plots import report_of_topics, topics_in
from em_cli.sources.table import Data

TABLES = ("trace", "restarts", "selection")


def check_extra() -> None:
    """`UsageError` if there is nothing to draw with."""
    if find_spec("matplotlib") is None:
        raise UsageError('drawing pictures needs pip install "em-cli[plots]".')


def check_format(format: str) -> None:
    """`UsageError` if pictures cannot be written in this format."""
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}{did_you_mean(format, FORMATS)}")


def pictures_of_run(run: str, data: Sequence[str], kinds: Sequence[str], columns: Sequence[str]) -> list[Picture]:
    """Pictures of the run in a folder: of these kinds and columns, or all that apply; the data are at this place.

    Of the trace alone there is a picture of several runs: the others stand where else the data do.
    """
    if (drawn := of_haplotypes(run, [*data, *columns], kinds)) is not None:
        return drawn
    if (of_topics := topics_in(run)) is not None:
        if columns or data:
            raise UsageError("pictures of topics show no columns, and read no data: leave them out.")
        return topic_pictures(of_topics, kinds)
    if data and list(kinds) == ["trace"]:
        if columns:
            raise UsageError("--kind trace does not apply: it shows no columns that --columns could choose.")
        return [traces([read_run(each, rows_wanted=False) for each in (run, *data)])]
    rows_wanted = any(kind.needs_rows for kind in kinds_named(kinds).values())
    if data and not rows_wanted:
        raise UsageError(f"{', '.join(kinds)} shows no rows: it needs no data.")
    return pictures_of(_with_certainty(run, read_run(run, data, rows_wanted)), kinds, columns)


def of_haplotypes(run: str, said: Sequence[str], kinds: Sequence[str]) -> list[Picture] | None:
    """The pictures of a run of haplotypes, to which no data or columns are `said`; None of another run."""
    home = Path(run)
    if not home.is_dir() or not isinstance(loaded := read_any(run), LoadedHaplotypes):
        return None
    if said:
        raise UsageError("the picture of haplotypes shows no columns, and reads no data: leave them out.")
    return haplotype_pictures(home.absolute().name, loaded.document, kinds)


def _with_certainty(folder: str, run: FinishedRun) -> FinishedRun:
    """With what is known of how sure the run is."""
    return replace(run, certainty=certainty_of(Path(folder)))


def check_wanted(report: ReportOptions, folder: str | None) -> None:
    """`UsageError`, before any work is done, if pictures or a report are wanted that could not be made."""
    for option, wanted in (("--plots draws", report.plots), ("--report writes", report.report)):
        if wanted:
            check_extra()
            if folder is None:
                raise UsageError(f"{option} into the run folder, and none is written: give --out.")


def fresh_run(
    folder: str,
    files: dict[str, Content],
    manifest: Manifest,
    result: Scored,
    data: Data,
    document: Params,
) -> FinishedRun:
    """A run whose folder is not yet written: its tables are what will be read back from these files."""
    tables = {name: parsed(name, lines) for name, lines in lines_of(files, TABLES).items()}
    loaded = replace(result.loaded, document=document)
    run = run_of(Path(folder).absolute().name, loaded, manifest, tables, rows_of(result, data))
    if "tests.json" not in files:
        return run
    files["tests.json"] = told = [str(part) for part in files["tests.json"]]
    return replace(run, certainty=Certainty(tests=tests_in("".join(told))))


def drawn_of(run: FinishedRun | TopicRun, asked: ReportOptions) -> dict[str, Content]:
    """The pictures, as `em plot` draws them unless told otherwise, and the report, as far as they are asked for."""
    drawn = dict[str, Content]()
    if asked.plots:
        pictures = topic_pictures(run) if isinstance(run, TopicRun) else pictures_of(run)
        drawn |= {f"plots/{name}": picture for name, picture in files_of(pictures, LIGHT).items()}
    if asked.report:
        drawn["report.html"] = report_of_topics(run) if isinstance(run, TopicRun) else report_of(run)
    return drawn


def report_of_folder(run: str, data: Sequence[str]) -> Iterator[str]:
    """The report of the run in a folder; the data are at this place."""
    of_topics = topics_in(run)
    return (
        report_of_topics(of_topics) if of_topics is not None else report_of(_with_certainty(run, read_run(run, data)))
    )


def report_of(run: FinishedRun) -> Iterator[str]:
    """The file that `em report` writes."""
    return page(run, ending(run.document)[0], trust(run.document))


def files_of(
    pictures: Sequence[Picture],
    theme: Theme,
    format: str = "png",
    dpi: float = 200,
    width: float | None = None,
    title: str | None = None,
) -> dict[str, Iterator[bytes]]:
    """The files of pictures, by name; each is drawn when it is written."""

    def drawn(picture: Picture) -> Iterator[bytes]:
        yield rendered(picture, theme, format, dpi, width, title=title)

    return {f"{picture.kind}.{format}": drawn(picture) for picture in pictures}
