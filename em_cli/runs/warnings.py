"""What a run has to say against its own result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from em_cli.config.durations import duration_text
from em_cli.config.run_config import RunConfig
from em_cli.display.search_words import longer
from em_cli.display.selection_summary import criterion_name, model_name, models_named
from em_cli.display.text import counted
from em_cli.engine.climb import FitResult
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.stopping import Status
from em_cli.models.variants import WEAK
from em_cli.outputs.document import Context, Scored
from em_cli.outputs.naming import Naming
from em_cli.outputs.selection import Selection
from em_cli.runs.at_fault import collapsed, of_columns, of_search
from em_cli.runs.climbing import CLIMBS
from em_cli.runs.configure import Settings
from em_cli.runs.fitted_rows import scored_blocks
from em_cli.runs.identification import warn_of_identification
from em_cli.runs.record import Record
from em_cli.runs.runaway import warn_of_runaway
from em_cli.search.ledger import Fitted, Verdict, first_reason, unpenalised
from em_cli.sources.quoting import listed
from em_cli.sources.table import Data

ROWS_SHOWN = 8


def warn_of_halt(reason: str, config: RunConfig, record: Record, resumable: bool) -> None:
    """Say what ended the search early, if anything did."""
    further = " The same command with --resume goes on." if resumable else ""
    if reason == "time_limit":
        assert config.search.time_limit is not None, "there is a limit to reach"
        record.warn(
            "time_limit",
            f"the time limit of {duration_text(config.search.time_limit)} was reached: this is the best so far; "
            f"with more time there may be a better one.{further}",
        )
    if reason == "interrupted":
        record.warn("interrupted", f"the run was interrupted: this is the best so far.{further}")


def warn_of_fit(result: Scored, context: Context, data: Data, record: Record) -> None:
    """Say what is doubtful about the chosen fit."""
    fitted, chosen = result.fitted, result.fitted.chosen
    assert chosen is not None, "there is a fit to speak of"
    if fitted.without_prior is not None:
        _warn_of_prior(fitted.without_prior, data, record)
    warn_if_not_converged(chosen, context.max_iter, record)
    _warn_of_degeneracies(result, data, record)
    _warn_of_higher(fitted, chosen, data, record)
    warn_if_reached_once(fitted, context.effort, record)
    warn_of_runaway(result, record)
    warn_of_identification(result, context, data, record)
    _warn_of_matching(result.naming, record)
    n_rows = max(result.figures.n_rows, data.source.n_rows)  # weights below one make no fewer
    if result.figures.n_parameters > n_rows:
        record.warn(
            "more_parameters_than_rows",
            f"{result.figures.n_parameters} parameters for {n_rows:.0f} rows: do not trust details.",
        )


def _warn_of_matching(naming: Naming, record: Record) -> None:
    """Say where it is not clear which component of an earlier model one is, and which are gone."""
    if naming.about is None:
        return
    if unclear := naming.about["ambiguous"]:
        record.warn(
            "match_unclear",
            f"it is not clear that {listed(unclear)} of the earlier model {'is' if len(unclear) == 1 else 'are'} what "
            "has the name now: another assignment is nearly as near (matched.csv).",
        )
    if gone := naming.about["gone"]:
        record.warn(
            "match_gone", f"no component is like {listed(gone)} of the earlier model; those that are new stand last."
        )


def warn_if_not_converged(chosen: FitResult, max_iter: int, record: Record) -> None:
    """Say that the climb was cut by the number of its iterations, and what it would still gain."""
    if chosen.status is not Status.MAX_ITERATIONS:
        return
    finite = chosen.remaining < float("inf")
    expected_gain = f"about {chosen.remaining:.2g} nats" if finite else "an unknown number of nats"
    record.warn(
        "not_converged",
        f"stopped at {len(chosen.trace)} iterations, {expected_gain} still to gain: --max-iter {4 * max_iter}.",
    )


def _warn_of_degeneracies(result: Scored, data: Data, record: Record) -> None:
    """Say which components have collapsed, and on which rows."""
    for k, rows in _rows_of_collapsed(result, data).items():
        collapse = result.degeneracies[k]
        assert collapse is not None, "the component has collapsed"
        shown = ", ".join(map(str, rows[:ROWS_SHOWN])) + (", …" if len(rows) > ROWS_SHOWN else "")
        at_fault = of_columns(data, collapse.columns)
        along = f", {at_fault.words}" if at_fault else ""
        record.warn(
            "few_rows",
            f"component {k + 1} is not to be trusted: {collapse.reason}{along} (rows {shown or 'none'}).",
        )


def _warn_of_higher(fitted: Fitted, chosen: FitResult, data: Data, record: Record) -> None:
    """Say that degenerate solutions would have a higher log-likelihood."""
    set_aside = [e for e in fitted.ledger if e.verdict is Verdict.DEGENERATE and not e.sample_rows]
    if chosen.candidate.objective != LOG_LIKELIHOOD:
        return
    higher = [e for e in set_aside if e.result.log_likelihood > chosen.log_likelihood]
    plain = {id(e): unpenalised(e.result) for e in higher}
    higher = [e for e in higher if plain[id(e)] > unpenalised(chosen)]
    if higher:
        top = max(higher, key=lambda e: plain[id(e)])
        at_fault = of_columns(data, top.collapse.columns if top.collapse else ())
        along = f": {at_fault.words}" if at_fault else ""
        record.warn(
            "degenerate_set_aside",
            f"{counted(len(higher), 'degenerate solution')} with a higher log-likelihood (up to "
            f"{plain[id(top)]:.3f}) {'was' if len(higher) == 1 else 'were'} set aside "
            f"(of a component there: {top.reason}{along}).",
        )


def warn_if_reached_once(fitted: Fitted, effort: str | None, record: Record) -> None:
    """Nothing but chance may have kept a better end from being found."""
    if fitted.n_components == 1 or fitted.certificate is not None or any(e.start == "given" for e in fitted.ledger):
        return
    starts = len(fitted.started)
    by_searches = effort is not None and fitted.searches > 1  # one search has many starts
    made, reached = (fitted.searches, fitted.reached) if by_searches else (starts, fitted.at_best)
    if reached != 1:
        return
    best = f"the best of {made} {'searches' if by_searches else 'starts'} was reached once only"
    record.warn(
        "reached_once",
        f"{best if made > 1 else 'one start was made'}: there may be a better one ({longer(effort, starts)}).",
    )


def warn_of_climb(fitted: Fitted, settings: Settings, record: Record) -> None:
    """Say what is doubtful about how the chosen climb ended, and how often its end was reached."""
    assert fitted.chosen is not None, "there is a fit to speak of"
    warn_if_not_converged(fitted.chosen, settings.config.search.max_iter, record)
    warn_if_reached_once(fitted, settings.effort, record)


def _warn_of_prior(fitted: Fitted, data: Data, record: Record) -> None:
    """Say why a prior is used that nobody asked for."""
    several = sum(column.type == "numeric" for column in data.schema.columns) > 1
    simpler = several and fitted.label == "full" and not fitted.ledger
    fewer = "; --covariance diag has fewer parameters" if simpler else ""
    record.warn(
        "weak_prior",
        f"{collapsed(data, fitted)}: this is a fit with --prior weak, which gives every component some width{fewer}.",
    )


def warn_of_choice(selection: Selection, effort: str | None, record: Record) -> None:
    """Say what is doubtful about the choice of a sweep."""
    if selection.edge:
        record.warn("edge_of_range", selection.edge)
    if selection.unranked:
        _warn_of_unranked(selection, record)
    second = selection.runner_up
    if second and second["clear"] is False:
        away = f"{second['delta']:.1f} away by {criterion_name(selection.criterion)}"
        record.warn(
            "close_call",
            f"the runner-up, {model_name(second)}, is {away}, no more than the searches may have missed: "
            f"a longer one ({longer(effort, second['starts'])}) may change the choice.",
        )


def not_validated(cut_by: str, kept: bool) -> str:
    """Why there is no choice by cross-validation."""
    if cut_by:
        more = " The same command with --resume goes on." if kept else ""
        return f"cut short ({cut_by}) before the models were compared on rows left out: nothing was chosen.{more}"
    return (
        "there is one sequence, or group, and none can be left out: --criterion cv cannot choose. --criterion bic can."
    )


def warn_of_left_out(n: int, record: Record) -> None:
    """Rows that no model expects when they are left out, such as the only ones of a level."""
    if n:
        what = "row or group has" if n == 1 else "rows or groups have"
        record.warn(
            "unpredictable_rows",
            f"{n:,} {what} no density under any fit to the others, as the only ones of a level have none: they take no "
            "part in the cross-validation.",
            doubtful=False,
        )


def _warn_of_unranked(selection: Selection, record: Record) -> None:
    """Some models have no fit to compare: where that is all but those of one k, nothing was chosen."""
    ranked = {row["k"] for row in selection.rows if row[selection.criterion] is not None}
    lost = sorted({row["k"] for row, _ in selection.unranked} - ranked)
    chosen, beside = selection.chosen_row["k"], _beside(selection, lost)
    with_prior = [(row, why) for row, why in selection.unranked if row["prior"] == "weak"]
    unknown = (
        f" Whether k = {chosen} is better than k = {' or '.join(map(str, beside))} is not known." if beside else ""
    )
    compared = " --prior weak compares them under a prior." if with_prior else ""
    if lost and len(ranked) == 1:
        record.warn(
            "no_choice",
            f"there was nothing to choose from: k = {min(ranked)} alone has a sound fit, k = "
            f"{', '.join(map(str, lost))} none ({selection.unranked[0][1]}).{compared}",
        )
    elif with_prior:
        said = models_named([row for row, _ in with_prior])
        record.warn(
            "not_ranked",
            f"not ranked, having no sound fit without a prior: {said} ({with_prior[0][1]}).{compared}{unknown}",
            doubtful=bool(beside),
        )
    elif beside:
        why = next(why for row, why in selection.unranked if row["k"] == beside[0])
        none = f"{'have' if len(beside) > 1 else 'has'} no sound fit ({why})"
        record.warn("not_ranked", f"k = {' and '.join(map(str, beside))} {none}.{unknown}")


def _beside(selection: Selection, lost: Sequence[int]) -> list[int]:
    """Of the numbers of components that have no sound fit, those next to the one that was chosen."""
    tried = sorted({row["k"] for row in selection.rows})
    place = tried.index(selection.chosen_row["k"])
    return [k for k in tried[max(0, place - 1) : place + 2] if k in lost]


def _rows_of_collapsed(result: Scored, data: Data) -> dict[int, list[int]]:
    """For each collapsed component the data rows, from 1, that belong to it before any other."""
    found: dict[int, list[int]] = {k: [] for k, collapse in enumerate(result.degeneracies) if collapse is not None}
    for rows, scores in scored_blocks(result, data) if found else ():
        component = scores.responsibilities.argmax(axis=0)
        for k, mine in found.items():
            mine += (rows[component == k] + 1).tolist()
    return found


def _can_have_prior(result: FitResult) -> bool:
    """Whether it has none, and both its family and its algorithm know one."""
    model = result.candidate.model
    if model.prior or model.family.penalty is None:
        return False
    return not result.candidate.algorithm.refuses(replace(model, prior=WEAK))


def no_fit(fitted: Fitted, data: Data) -> str:
    """The message when no start gave a fit."""
    if (plain := fitted.without_prior) is not None:
        too = f", and with --prior weak as well ({first_reason(fitted.ledger)})"
        return f"{collapsed(data, plain)}{too}. Try a smaller -k; -k 1 has a fit."
    at_fault = of_search(data, fitted)
    ways = _other_climbs(fitted)
    if fitted.n_components > 1:
        ways.append("a smaller -k" if fitted.n_components > 2 else "-k 1")
    if at_fault and len(data.schema.names) > 1:
        ways.append(at_fault.remedy)
    return f"{collapsed(data, fitted)}." + (f" Try {', or '.join(ways)}." if ways else "")


def _other_climbs(fitted: Fitted) -> list[str]:
    """The options that climb to the same model in another way."""
    if not fitted.ledger:
        return []
    result, starts = fitted.ledger[0].result, len(fitted.started)
    ways = ["--prior weak"] if _can_have_prior(result) else []
    if result.candidate.algorithm.from_starts:
        ways.append("--algorithm lbfgs")
        if 1 < starts < CLIMBS:
            ways.append(f"--restarts {CLIMBS}")
    return ways
