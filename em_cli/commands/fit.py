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
    from em_cli.models.haplotypes import wanted_pairs
    from em_cli.runs.early import write_early
    from em_cli.runs.run import opened
    from em_cli.runs.stdout import fit_text

    with opened(request) as run:
        if run is None:
            return
        if run.data.documents is not None:
            from em_cli.runs.topic_runs import fit_topics

            fit_topics(run)
            return
        if wanted_pairs(run.settings.config):
            from em_cli.runs.haplotype_runs import fit_haplotypes

            fit_haplotypes(run)
            return
        if run.awaited is not None:
            from em_cli.runs.endless import fit_endless

            fit_endless(run)
            return
        wanted = run.tasks()
        if run.only_planned:
            run.say_plan(wanted)
            return
        write_early(run, wanted)
        (fitted,) = run.search(wanted)
        if fitted.chosen is None:
            run.give_up(fitted)
        result, context = run.score(fitted, wanted.groups)
        run.warn(result, context)
        run.look_further([fitted], wanted, result, context)
        params = run.document(result, context)
        run.announce(params)
        written = run.deliver(result, params, [fitted], {})
        run.say(fit_text(run.settings, run.data, result, params, written, run.record.better))
