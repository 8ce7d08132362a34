"""`em select`: fit a range of mixtures and choose one by a criterion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from em_cli.options import DataOptions, DataPaths, RunOptions, SelectModelOptions, TestOptions, grouped

if TYPE_CHECKING:
    from em_cli.runs.request import Request


@grouped
def select(
    data: DataOptions, model: SelectModelOptions, run: RunOptions, tests: TestOptions, paths: DataPaths = None
) -> None:
    """Choose the number of components.

    Example: em select data.csv --k-range 1-10
    """
    from em_cli.runs.request import requested

    request = requested("select", paths, data, run, model, tests)
    if run.several:
        from em_cli.runs.many import run_many

        run_many(request, run.many, select_one)
    else:
        select_one(request)


def select_one(request: Request) -> None:
    """One run, and what is to stand on standard output."""
    from em_cli.outputs.selection import selection_text
    from em_cli.runs.run import opened
    from em_cli.runs.stdout import sweep_text
    from em_cli.runs.topic_sweep import select_topics
    from em_cli.runs.warnings import warn_of_choice

    with opened(request) as run:
        if run is None:
            return
        if run.data.documents is not None:
            select_topics(run)
            return
        wanted = run.tasks()
        if run.only_planned:
            run.say_plan(wanted)
            return
        fits = run.search(wanted)
        selection = run.compare(fits, wanted)
        if selection.chosen is None or selection.context is None:
            run.give_up(fits[0])
        run.warn(selection.chosen, selection.context)
        warn_of_choice(selection, selection.context.effort, run.record)
        run.look_further(fits, wanted, selection.chosen, selection.context)
        run = run.of_choice(selection.context)
        chosen = selection.chosen
        params, tests = run.document(selection.chosen, selection.context), dict[str, Iterable[str]]()
        if run.settings.config.test:
            from em_cli.postestimation.tests_of_sweep import tested_sweep

            selection, params, tests = tested_sweep(run, fits, wanted, selection, params)
        written = run.deliver(chosen, params, fits, {"selection.csv": selection_text(selection), **tests})
        run.say(sweep_text(run.settings, run.data, selection, params, written, run.record.better))
