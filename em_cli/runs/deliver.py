"""From fits to what is written and said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from em_cli.options import ReportOptions
from em_cli.runs.configure import effort_of, fingerprint_of, start_file
from em_cli.runs.record import Record

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.engine.arrays import Integers
    from em_cli.engine.events import Observer
    from em_cli.engine.scoring import RowScores
    from em_cli.models.groups import Group
    from em_cli.outputs.checkpoint_file import CheckpointFile
    from em_cli.outputs.document import Context, Scored
    from em_cli.outputs.folder import Content
    from em_cli.outputs.run_folder import RunFolder
    from em_cli.runs.interruption import Halt
    from em_cli.search.ledger import Fitted
    from em_cli.sources.table import Data


def context_of(config: RunConfig, data: Data, groups: tuple[Group, ...], halt: Halt) -> Context:
    from em_cli.outputs.document import Context

    return Context(
        schema=data.schema,
        groups=groups,
        latent="noise" if config.noise else "independent",
        seed=config.seed,
        start="given" if start_file(config) else config.search.start,
        effort=effort_of(config),
        tol=config.search.tol,
        max_iter=config.search.max_iter,
        cut_by=halt.reason or "interrupted",
        n_rows_read=data.n_rows_read,
        n_samples=data.source.n_rows,
        missing=config.data.missing,
        n_missing=data.n_missing,
        weights_name=data.weights_name,
        label_names=data.label_names,
        weight_type=config.data.weight_type,
        data_sha256=data.data_sha256,
        config_sha256=fingerprint_of(config),
    )


def announce(params: Mapping[str, Any], observe: Observer) -> None:
    """Tell those who watch a fit what came of it, and how far the search is to be trusted."""
    from em_cli.criteria import CRITERIA
    from em_cli.display.search_words import trust
    from em_cli.engine.events import ModelChosen

    criteria = tuple((name, params[name]) for name in CRITERIA if name in params)
    label, k = params["covariance_type"] or params["family"], params["n_components"]
    observe(ModelChosen(label, k, params["log_likelihood"], criteria, trust(params)))


def least_certain(result: Scored, data: Data) -> tuple[str, float] | None:
    """The row whose largest responsibility is the smallest, by number or id; None if there is one component."""
    if result.fitted.n_components == 1:
        return None
    blocks = [(rows, scores.responsibilities.max(axis=0)) for rows, scores in scored_blocks(result, data)]
    rows, largest = min(blocks, key=lambda block: float(block[1].min()))
    row = int(rows[largest.argmin()])
    return data.ids[row] if data.ids is not None else str(row + 1), float(largest.min())


def scored_blocks(result: Scored, data: Data) -> Iterator[tuple[Integers, RowScores]]:
    """The data rows (n,) of each block that was fitted, from 0, and their scores."""
    used = 0
    for index in range(len(result.source)):
        block = result.source[index]
        n = block.x.shape[1]
        yield data.rows[used : used + n], result.loaded.score(block.x, block.labels)
        used += n


def with_others(
    blocks: Iterator[tuple[Integers, RowScores]], others: tuple[Integers, RowScores]
) -> Iterator[tuple[Integers, RowScores]]:
    """The same with the rows that took no part in the fit, each where it belongs."""
    import numpy as np

    from em_cli.engine.scoring import RowScores

    rows, scores = others
    taken = 0
    for mine, found in blocks:
        upto = int(np.searchsorted(rows, mine[-1]))
        order = np.argsort(np.concatenate([mine, rows[taken:upto]]), kind="stable")
        yield (
            np.concatenate([mine, rows[taken:upto]])[order],
            RowScores(
                np.concatenate([found.log_density, scores.log_density[taken:upto]])[order],
                np.concatenate([found.responsibilities, scores.responsibilities[:, taken:upto]], axis=1)[:, order],
            ),
        )
        taken = upto
    if taken < len(rows):
        yield rows[taken:], RowScores(scores.log_density[taken:], scores.responsibilities[:, taken:])


@dataclass(frozen=True, slots=True)
class Occasion:
    """A run that comes to its end: what was asked for and read, and where its results go."""

    command: str
    config: RunConfig
    data: Data
    record: Record
    report: ReportOptions
    folder: RunFolder | None
    checkpoint: CheckpointFile | None
    halt: Halt


def run_files(
    occasion: Occasion, document: Mapping[str, Any], result: Scored, fits: list[Fitted]
) -> dict[str, Iterable[str]]:
    """The files of a run folder, by name."""
    from em_cli.config.files import PLACE_KEYS
    from em_cli.config.files import record as config_record
    from em_cli.outputs.manifest import to_json
    from em_cli.outputs.tables import LEDGER_COLUMNS, TRACE_COLUMNS, csv_text, ledger_rows, trace_rows

    files: dict[str, Iterable[str]] = {"params.json": [to_json(document)]}
    if occasion.config.responsibilities:
        files["responsibilities.csv"] = responsibility_lines(result, occasion.data)
    files["trace.csv"] = csv_text(TRACE_COLUMNS, trace_rows(fits))
    files["restarts.csv"] = csv_text(LEDGER_COLUMNS, ledger_rows(fits))
    files["run.yaml"] = [config_record(occasion.config, PLACE_KEYS)]
    return files


def responsibility_lines(result: Scored, data: Data) -> Iterator[str]:
    """`responsibilities.csv`: a line per input row, in input order; rows left out stay blank."""
    from em_cli.outputs.tables import blank_lines, score_header, score_lines

    def keys(first: int, last: int) -> Sequence[str] | range:
        return data.ids[first:last] if data.ids is not None else range(first + 1, last + 1)

    model = result.loaded.model
    yield score_header(data.id_name or "row", model)
    first, blocks = 0, scored_blocks(result, data)
    if len(data.others.rows):
        blocks = with_others(blocks, (data.others.rows, result.loaded.score(data.others.x)))
    for rows, scores in blocks:
        last = int(rows[-1]) + 1
        yield from score_lines(scores, rows - first, keys(first, last), model.n_components)
        first = last
    yield from blank_lines(model.n_outcomes, keys(first, data.n_rows_read))


def deliver(
    occasion: Occasion,
    result: Scored,
    document: Mapping[str, Any],
    fits: list[Fitted],
    more: Mapping[str, Iterable[str]],
) -> list[str]:
    """Write the run folder and the single files asked for; the names of what is in the folder."""
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import manifest, to_json
    from em_cli.runs.manifest_facts import facts
    from em_cli.runs.plotting import fresh_run, plots_of, report_of

    data, record, report, checkpoint = occasion.data, occasion.record, occasion.report, occasion.checkpoint
    written = []
    with record.timed("writing"):
        if folder := occasion.folder:
            files: dict[str, Content] = {**run_files(occasion, document, result, fits), **more}
            told = facts(occasion.config, data, record, result, document, fits)
            told["resumed_after"] = round(checkpoint.seconds, 3) if checkpoint and checkpoint.continues else None
            about = manifest(occasion.command, record.seconds, told)
            if report.plots or report.report:
                run = fresh_run(folder.path, files, about, result, data, document)
                if report.plots:
                    files |= {f"plots/{name}": drawn for name, drawn in plots_of(run).items()}
                if report.report:
                    files["report.html"] = report_of(run)
            names = folder.deliver(files, about, finished=not occasion.halt.reason)
            written = list(
                dict.fromkeys(
                    f"{first}/" if inside else first for first, inside, _ in (name.partition("/") for name in names)
                )
            )
        if report.params:
            write_file(report.params, [to_json(document)])
        if report.responsibilities_to:
            write_file(report.responsibilities_to, responsibility_lines(result, data))
    return written
