"""`em test`: is one more component more than chance?"""

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

UpTo = Annotated[
    int | None, Option("--up-to", metavar="K", help="Go on, to K components, while p ≤ 0.05 [default: one more].")
]
Many = Annotated[int, Option("-B", "--replicates", metavar="N", help="Data sets drawn for each test.")]
Seed = Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same bytes.", envvar="EM_SEED")]
Resume = Annotated[bool, Option("--resume", help="Go on from the data sets that were drawn before.")]


@grouped
def test(
    run: RunPath,
    screen: ScreenOptions,
    data: DataNow = None,
    up_to: UpTo = None,
    many: Many = 99,
    seed: Seed = 0,
    time_limit: TimeLimit = None,
    memory: Memory = None,
    resume: Resume = False,
    json: JsonDocument = False,
    out: OutFolder = None,
    force: ReplaceFiles = False,
) -> None:
    """Is one more component more than chance? By fitting both to data drawn from the smaller.

    Example: em test faithful-k2.em
    """
    from em_cli.display.counter import Counter
    from em_cli.display.tests_page import tests_page
    from em_cli.outputs.folder import write_files
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.component_tests import test_document, test_lines, to_be_tested
    from em_cli.runs.interruption import halting
    from em_cli.runs.path_checks import check_all_free
    from em_cli.runs.screen import say_found
    from em_cli.runs.search_plan import store_beside

    home, counter = out or run, Counter("data sets", screen.quiet)
    with halting(time_limit) as halt, closing(store_beside(home, memory)) as store:
        refit = to_be_tested(run, data or [], up_to, many, store)
        check_all_free(home, ("tests.csv", "tests.json"), force or resume)
        try:
            before = home if resume and not force else None
            found = test_document(refit, up_to, many, seed, counter, halt, before)
        finally:
            counter.close()
        write_files(home, {"tests.csv": test_lines(found["tests"]), "tests.json": [to_json(found)]})
        say_found(found, json, tests_page, screen)
