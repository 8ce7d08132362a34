"""`em test`: is one more component more than chance?"""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from em_cli.options import RunPath, ScreenOptions, grouped


@grouped
def test(
    run: RunPath,
    screen: ScreenOptions,
    data: Annotated[
        list[str] | None, Argument(metavar="[DATA...]", help="Where the data are now, if not where they were.")
    ] = None,
    up_to: Annotated[
        int | None, Option("--up-to", metavar="K", help="Go on, to K components, while p ≤ 0.05 [default: one more].")
    ] = None,
    many: Annotated[int, Option("-B", "--replicates", metavar="N", help="Data sets drawn for each test.")] = 99,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same bytes.", envvar="EM_SEED")] = 0,
    time_limit: Annotated[
        str | None, Option("--time-limit", metavar="TIME", help="10m, 90s, 1.5h: then what there is by then.")
    ] = None,
    resume: Annotated[bool, Option("--resume", help="Go on from the data sets that were drawn before.")] = False,
    json: Annotated[bool, Option("--json", help="The document on stdout.")] = False,
    out: Annotated[
        str | None, Option("-o", "--out", metavar="DIR", help="[default: the run folder]", show_default=False)
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace existing files.")] = False,
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

    refit, counter = to_be_tested(run, data or [], up_to, many), Counter("data sets", screen.quiet)
    home = out or run
    check_all_free(home, ("tests.csv", "tests.json"), force or resume)
    with halting(time_limit) as halt:
        try:
            before = home if resume and not force else None
            found = test_document(refit, up_to, many, seed, counter, halt, before)
        finally:
            counter.close()
        write_files(home, {"tests.csv": test_lines(found), "tests.json": [to_json(found)]})
        say_found(found, json, tests_page, screen)
