"""`em bootstrap`: confidence intervals by resampling."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from typer import Option

from em_cli.options import (
    DataNow,
    JsonDocument,
    Memory,
    OutFolder,
    ReplaceFiles,
    RunPath,
    ScreenOptions,
    TimeLimit,
    grouped,
)
from em_cli.options.completers import words

Replicates = Annotated[
    int | None, Option("-B", "--replicates", metavar="N", help="[default: 399].", show_default=False)
]
Kind = Annotated[
    str,
    Option(
        "--kind",
        metavar="NAME",
        help="nonparametric, weighted, parametric or jackknife.",
        autocompletion=words("nonparametric|weighted|parametric|jackknife"),
    ),
]
Searched = Annotated[
    int | None,
    Option(
        "--searched",
        metavar="N",
        min=0,
        help="Replicates searched anew for better solutions [default: 50, beyond 5,000 rows 0].",
        show_default=False,
    ),
]
Level = Annotated[float, Option("--level", metavar="P", help="Of the confidence intervals.")]
Seed = Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same bytes.", envvar="EM_SEED")]
Resume = Annotated[bool, Option("--resume", help="Go on from the replicates that are there.")]


@grouped
def bootstrap(
    run: RunPath,
    screen: ScreenOptions,
    data: DataNow = None,
    many: Replicates = None,
    kind: Kind = "nonparametric",
    searched: Searched = None,
    level: Level = 0.95,
    seed: Seed = 0,
    time_limit: TimeLimit = None,
    memory: Memory = None,
    resume: Resume = False,
    json: JsonDocument = False,
    out: OutFolder = None,
    force: ReplaceFiles = False,
) -> None:
    """Confidence intervals, by fitting a run again to resampled rows.

    Example: em bootstrap faithful-k2.em -B 999
    """
    from em_cli.display.counter import Counter
    from em_cli.display.intervals_page import intervals_page
    from em_cli.outputs.folder import write_files
    from em_cli.postestimation.resampled import Wanted, resampled
    from em_cli.runs.interruption import halting
    from em_cli.runs.path_checks import check_all_free
    from em_cli.runs.screen import say_found
    from em_cli.runs.search_plan import store_beside

    home, wanted, counter = out or run, Wanted(kind, many, level, seed, searched), Counter("replicates", screen.quiet)
    check_all_free(home, ("intervals.csv", "bootstrap.csv", "bootstrap.json"), force or resume)
    with halting(time_limit) as halt, closing(store_beside(home, memory)) as store:
        try:
            found = resampled(run, data or [], wanted, halt, home if resume and not force else None, counter, store)
        finally:
            counter.close()
        write_files(home, found.files())
        say_found(found.document, json, intervals_page, screen)
