"""`em select`: fit a range of mixtures and choose one by a criterion."""

from __future__ import annotations

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
    from em_cli.runs.fitting import fitting_of, make
    from em_cli.runs.run import opened

    with opened(request) as run:
        if run is None:
            return
        if run.settings.config.test:
            from em_cli.postestimation.tests_of_sweep import tested_sweep

            make(run, fitting_of(run, tested_sweep))
        else:
            make(run, fitting_of(run))
