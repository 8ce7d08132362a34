"""`em fit`: fit one mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from em_cli.options import DataOptions, DataPaths, FitModelOptions, RunOptions, grouped

if TYPE_CHECKING:
    from em_cli.runs.request import Request


@grouped
def fit(data: DataOptions, model: FitModelOptions, run: RunOptions, paths: DataPaths = None) -> None:
    """Fit one mixture.

    Example: em fit data.csv -k 3
    """
    from em_cli.runs.request import requested

    request = requested("fit", paths, data, run, model)
    if run.several:
        from em_cli.runs.many import run_many

        run_many(request, run.many, fit_one)
    else:
        fit_one(request)


def fit_one(request: Request) -> None:
    """One run, and what is to stand on standard output."""
    from em_cli.runs.fitting import fitting_of, make
    from em_cli.runs.run import opened

    with opened(request) as run:
        if run is None:
            return
        if run.awaited is None:
            make(run, fitting_of(run))
        else:
            from em_cli.runs.endless import fit_endless

            fit_endless(run)
