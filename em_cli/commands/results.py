"""From fits to what is written and said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from em_cli.commands.options import ReportOptions
from em_cli.commands.session import Record
from em_cli.commands.setup import folder_for, start_file

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.engine.arrays import Integers
    from em_cli.engine.scoring import RowScores
    from em_cli.outputs.document import Context, Scored
    from em_cli.search.ledger import Fitted
    from em_cli.sources.table import Data


ROWS_SHOWN = 8


def context_of(config: RunConfig, data: Data, family: str) -> Context:
    from em_cli.config.files import fingerprint
    from em_cli.outputs.document import Context

    return Context(
        schema=data.schema,
        family=family,
        seed=config.seed,
        start="given" if start_file(config) else config.search.start,
        tol=config.search.tol,
        max_iter=config.search.max_iter,
        n_rows_read=data.n_rows_read,
        missing=config.data.missing,
        n_missing=data.n_missing,
        data_sha256=data.data_sha256,
        config_sha256=fingerprint(config),
    )


def warn_of_fit(result: Scored, data: Data, record: Record, interrupted: bool) -> None:
    """Say what is doubtful about the chosen fit."""
    if interrupted:
        record.warn("interrupted", "the run was interrupted: this is the best so far.", doubtful=True)
    from em_cli.engine.stopping import Status
    from em_cli.search.ledger import Verdict

    fitted, chosen = result.fitted, result.fitted.chosen
    assert chosen is not None, "there is a fit to speak of"
    if chosen.status is Status.MAX_ITERATIONS:
        to_gain = (
            f"about {chosen.remaining:.2g} nats" if chosen.remaining < float("inf") else "an unknown number of nats"
        )
        n = len(chosen.trace)
        record.warn(
            "not_converged", f"stopped at {n} iterations, {to_gain} still to gain: --max-iter {4 * n}.", doubtful=True
        )
    for k, rows in _rows_of_collapsed(result, data).items():
        collapse = result.collapses[k]
        assert collapse is not None, "the component has collapsed"
        shown = ", ".join(map(str, rows[:ROWS_SHOWN])) + (", …" if len(rows) > ROWS_SHOWN else "")
        record.warn(
            "few_rows",
            f"component {k + 1} is not to be trusted: {collapse.reason} (rows {shown or 'none'}).",
            doubtful=True,
        )
    higher = [
        entry
        for entry in fitted.ledger
        if entry.verdict is Verdict.DEGENERATE
        and not entry.sample_rows
        and entry.result.log_likelihood > chosen.log_likelihood
    ]
    if higher:
        top = max(higher, key=lambda entry: entry.result.log_likelihood)
        record.warn(
            "degenerate_set_aside",
            f"{len(higher)} degenerate solutions with a higher log-likelihood (up to "
            f"{top.result.log_likelihood:.3f}) were set aside: {top.reason}.",
            doubtful=True,
        )
    if len(fitted.ledger) > 1 and fitted.at_best == 1:
        record.warn(
            "reached_once",
            f"the best of {len(fitted.ledger)} starts was reached once only: there may be a better one "
            f"(--restarts {4 * len(fitted.ledger)}).",
            doubtful=True,
        )
    if result.figures.n_parameters > result.figures.n_rows:
        record.warn(
            "more_parameters_than_rows",
            f"{result.figures.n_parameters} parameters for {result.figures.n_rows:.0f} rows: do not trust details.",
        )


def _rows_of_collapsed(result: Scored, data: Data) -> dict[int, list[int]]:
    """For each collapsed component the data rows, from 1, that belong to it before any other."""
    found: dict[int, list[int]] = {k: [] for k, collapse in enumerate(result.collapses) if collapse is not None}
    for rows, scores in _scored_blocks(result, data) if found else ():
        component = scores.responsibilities.argmax(axis=0)
        for k, mine in found.items():
            mine += (rows[component == k] + 1).tolist()
    return found


def least_certain(result: Scored, data: Data) -> tuple[str, float] | None:
    """The row whose largest responsibility is the smallest, by number or id; None if there is one component."""
    if result.fitted.n_components == 1:
        return None
    blocks = [(rows, scores.responsibilities.max(axis=0)) for rows, scores in _scored_blocks(result, data)]
    rows, largest = min(blocks, key=lambda block: float(block[1].min()))
    row = int(rows[largest.argmin()])
    return data.ids[row] if data.ids is not None else str(row + 1), float(largest.min())


def _scored_blocks(result: Scored, data: Data) -> Iterator[tuple[Integers, RowScores]]:
    """The data rows (n,) of each block, from 0, and their scores."""
    from em_cli.engine.scoring import score_rows

    used = 0
    for index in range(len(data.source)):
        x = data.source[index].x
        yield data.rows[used : used + x.shape[1]], score_rows(result.loaded.model, result.loaded.parameters, x)
        used += x.shape[1]


def no_fit(fitted: Fitted) -> str:
    """The message when no start gave a fit."""
    starts = len(fitted.ledger)
    which = "the start" if starts == 1 else f"every one of {starts} starts"
    return (
        f"{which} collapsed ({fitted.ledger[0].reason}). "
        "Try a smaller -k, --covariance tied, or look for repeated rows in the data."
    )


def run_files(
    config: RunConfig,
    data: Data,
    record: Record,
    command: str,
    document: Mapping[str, Any],
    result: Scored,
    fits: list[Fitted],
) -> dict[str, Iterable[str]]:
    """The files of a run folder, by name."""
    from em_cli.config.files import record as config_record
    from em_cli.outputs.manifest import manifest, to_json
    from em_cli.outputs.tables import LEDGER_COLUMNS, TRACE_COLUMNS, csv_text, ledger_rows, trace_rows

    inputs = [asdict(file) for file in data.inputs]
    files: dict[str, Iterable[str]] = {"params.json": [to_json(document)]}
    if config.responsibilities:
        files["responsibilities.csv"] = responsibility_lines(result, data)
    files["trace.csv"] = csv_text(TRACE_COLUMNS, trace_rows(fits))
    files["restarts.csv"] = csv_text(LEDGER_COLUMNS, ledger_rows(fits))
    files["run.yaml"] = [config_record(config)]
    files["manifest.json"] = [
        manifest(command, inputs, config.model_dump(mode="json"), record.seconds, record.warnings)
    ]
    return files


def responsibility_lines(result: Scored, data: Data) -> Iterator[str]:
    """`responsibilities.csv`: a line per input row, in input order; rows left out stay blank."""
    from em_cli.outputs.tables import score_header, score_lines

    yield score_header(data.id_name or "row", result.fitted.n_components)
    first = 0
    for index, (rows, scores) in enumerate(_scored_blocks(result, data)):
        last = data.n_rows_read if index == len(data.source) - 1 else int(rows[-1]) + 1
        keys = data.ids[first:last] if data.ids is not None else range(first + 1, last + 1)
        yield from score_lines(scores, rows - first, keys)
        first = last


def deliver(
    config: RunConfig,
    data: Data,
    record: Record,
    command: str,
    result: Scored,
    document: Mapping[str, Any],
    fits: list[Fitted],
    report: ReportOptions,
    more: Mapping[str, Iterable[str]],
) -> tuple[str | None, list[str]]:
    """Write the run folder and the single files asked for; the folder and the names of its files."""
    from em_cli.outputs.folder import write_file, write_folder
    from em_cli.outputs.manifest import to_json

    folder, written = folder_for(config, report), []
    with record.timed("writing"):
        if folder:
            files = run_files(config, data, record, command, document, result, fits) | dict(more)
            written = write_folder(folder, files, report.force)
        if report.params:
            write_file(report.params, [to_json(document)])
        if report.responsibilities_to:
            write_file(report.responsibilities_to, responsibility_lines(result, data))
    return folder, written
