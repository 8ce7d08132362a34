"""`em report`: a run as one page of HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from em_cli.options import DataNow, Debug, Quiet, ReplaceFile, RunPath, grouped


@grouped
def report(
    run: RunPath,
    data: DataNow = None,
    out: Annotated[
        str | None,
        Option("-o", "--out", metavar="FILE", help="[default: report.html in the run folder]", show_default=False),
    ] = None,
    force: ReplaceFile = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write all that is known of a run into one HTML file.

    Example: em report faithful-k2.em
    """
    from em_cli.errors import OutputError
    from em_cli.outputs.folder import write_file
    from em_cli.runs.path_checks import check_places, is_taken
    from em_cli.runs.plotting import check_extra, report_of_folder

    check_extra()
    check_places(data or (), {"--out": out})
    file = out or str(Path(run) / "report.html")
    if is_taken(file) and not force:
        raise OutputError(f"{file} exists. Use --force to replace it, or --out to write elsewhere.")
    write_file(file, report_of_folder(run, data or ()))
    if file != "-" and not quiet:
        write_file("-", [f"{file}\n"])
