"""`em bootstrap`: confidence intervals by resampling."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from em_cli.options import RunPath, ScreenOptions, grouped


@grouped
def bootstrap(
    run: RunPath,
    screen: ScreenOptions,
    data: Annotated[
        list[str] | None, Argument(metavar="[DATA...]", help="Where the data are now, if not where they were.")
    ] = None,
    many: Annotated[
        int | None, Option("-B", "--replicates", metavar="N", help="[default: 399].", show_default=False)
    ] = None,
    kind: Annotated[
        str, Option("--kind", metavar="NAME", help="nonparametric, weighted, parametric or jackknife.")
    ] = "nonparametric",
    level: Annotated[float, Option("--level", metavar="P", help="Of the confidence intervals.")] = 0.95,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same bytes.", envvar="EM_SEED")] = 0,
    json: Annotated[bool, Option("--json", help="The document on stdout.")] = False,
    out: Annotated[
        str | None, Option("-o", "--out", metavar="DIR", help="[default: the run folder]", show_default=False)
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Confidence intervals, by fitting a run again to resampled rows.

    Example: em bootstrap faithful-k2.em -B 999
    """
    from pathlib import Path

    from em_cli.display.intervals_page import intervals_page
    from em_cli.outputs.folder import write_file, write_together
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.resampled import resampled
    from em_cli.runs.path_checks import check_free
    from em_cli.runs.screen import color_wanted, width

    home = Path(out or run)
    places = {name: str(home / name) for name in ("intervals.csv", "bootstrap.csv", "bootstrap.json")}
    for place in places.values():
        check_free("--out", place, force)
    found = resampled(run, data or [], kind, many, level, seed)
    files = {**found.files(), "bootstrap.json": iter([to_json(found.document)])}
    home.mkdir(parents=True, exist_ok=True)
    write_together({places[name]: lines for name, lines in files.items()})
    columns = width() if sys.stdout.isatty() else 80
    write_file(
        "-", [to_json(found.document) if json else intervals_page(found.document, columns, color_wanted(screen))]
    )
