"""`em plot`: pictures of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from em_cli.options import Debug, Quiet, ReplaceFiles, RunPath, grouped, names_in

DataOrRuns = Annotated[
    list[str] | None, Argument(metavar="[DATA...]", help="Where the data are now; of --kind trace, more runs.")
]
Kinds = Annotated[
    list[str] | None, Option("--kind", metavar="NAME,…", help="Which pictures [default: all that apply].")
]
Format = Annotated[str, Option("--format", metavar="png|svg|pdf", help="Of the files.")]
Folder = Annotated[
    str | None, Option("-o", "--out", metavar="DIR", help="[default: plots in the run folder]", show_default=False)
]
Theme = Annotated[str, Option("--theme", metavar="light|dark", help="Colours.")]
Dpi = Annotated[int, Option("--dpi", metavar="N", min=30, max=1200, help="Dots per inch of a png.")]
Width = Annotated[
    float | None,
    Option("--width", metavar="INCHES", min=2, max=40, help="[default: what the picture needs]", show_default=False),
]
Columns = Annotated[str | None, Option("--columns", metavar="A,B", help="Columns to show [default: the most telling].")]
Title = Annotated[
    str | None, Option("--title", metavar="none|TEXT", help="Above the pictures, or nothing [default: their own].")
]


@grouped
def plot(
    run: RunPath,
    data: DataOrRuns = None,
    kind: Kinds = None,
    format: Format = "png",
    out: Folder = None,
    theme: Theme = "light",
    dpi: Dpi = 200,
    width: Width = None,
    columns: Columns = None,
    title: Title = None,
    force: ReplaceFiles = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Draw pictures of a run.

    Example: em plot faithful-k2.em --kind scatter; em plot one.em other.em --kind trace
    """
    from em_cli.errors import OutputError, UsageError
    from em_cli.outputs.folder import write_file, write_files
    from em_cli.reports.style import theme_named
    from em_cli.runs.path_checks import is_taken
    from em_cli.runs.plotting import check_extra, check_format, files_of, pictures_of_run

    check_extra()
    check_format(format)
    colours = theme_named(theme)
    pictures = pictures_of_run(run, data or (), names_in(kind or ()), names_in([columns or ""]))
    if data and out is None and names_in(kind or ()) == ["trace"]:
        raise UsageError("a picture of several runs belongs to none of them: say by --out where to.")
    folder = Path(out) if out else Path(run) / "plots"
    files = [folder / f"{picture.kind}.{format}" for picture in pictures]
    there = [file for file in files if is_taken(str(file))]
    if there and not force:
        raise OutputError(f"{there[0]} exists. Use --force to replace it, or --out to write elsewhere.")
    write_files(str(folder), files_of(pictures, colours, format, dpi, width, "" if title == "none" else title))
    if not quiet:
        write_file("-", [f"{file}: {picture.caption}\n" for file, picture in zip(files, pictures, strict=True)])
