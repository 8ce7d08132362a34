"""`em fit - --algorithm online`: a model of rows as they come, written every so many of them and at their end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, nan

from em_cli.algorithms.minibatch import ROWS_OF_COMPONENT
from em_cli.documents.params_json import Params, StreamFields
from em_cli.engine.arrays import Array, map_arrays
from em_cli.engine.checkpoint import Packed
from em_cli.engine.climb import FitResult
from em_cli.engine.events import PhaseStarted, RowsRead, ignore
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.rows import Block, joined
from em_cli.engine.stopping import Status
from em_cli.errors import DataError, EmError, Interrupted
from em_cli.outputs.document import Scored
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import to_json
from em_cli.runs.deliver import model_chosen, run_files, tables_of
from em_cli.runs.early import data_of
from em_cli.runs.mixture_runs import Mixtures, ScoredMixture
from em_cli.runs.record import Record
from em_cli.runs.run import Run
from em_cli.runs.stdout import fit_text
from em_cli.runs.stream_state import keep_state, online_of, state_of
from em_cli.runs.tasks import Tasks
from em_cli.runs.warnings import warn_of_fit, warn_of_halt
from em_cli.search.as_they_come import AsTheyCome
from em_cli.search.ledger import Entry, Fitted, Verdict
from em_cli.sources.awaited import Awaited, parted
from em_cli.sources.in_memory import InMemory
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import listed
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.row_blocks import FittedRows
from em_cli.sources.schema import Column
from em_cli.sources.stream import Chunk, chunk_of
from em_cli.sources.table import Data

REMEMBERED = 1000  # models, whose log-likelihoods are told
PREDICTIVE = "predictive log-likelihood of a row"  # what the trace is of


def fit_endless(run: Run) -> None:
    """Start from the first rows as a search finds them, and go on with those that come."""
    mixtures = Mixtures.of(run)
    if run.only_planned:
        run.say([mixtures.plan()])
        return
    stream = _Stream.begun(mixtures)
    run.record.observe(PhaseStarted("online", 0))
    try:
        for rows in stream.batches():
            stream.take(rows)
    except EmError as error:
        stream.write(run.record)
        where = "" if run.folder is None else f" The model of the rows before is in {run.folder.path}."
        raise type(error)(f"{error}{where}") from None
    params, written, own = stream.write(run.record)
    if run.settings.request.report.params == "-":
        write_file("-", [to_json(params)])
    run.say(fit_text(own.run, own.result, params, written))


@dataclass(slots=True)
class _Stream:
    """A model, the rows that it has seen, and what has been written."""

    run: Run
    wanted: Tasks
    found: Fitted  # of the first rows
    climb: AsTheyCome
    batch: int  # rows of a step
    window: Block  # the last rows, as many as the first ones
    n_read: int  # rows, those without all cells too
    n_fitted: int
    unwritten: int = 0  # rows that came after what is written
    predicted: float = 0.0  # log-likelihood of these, before they were learnt from
    trace: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    log_likelihoods: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    told: int = 0  # warnings of the first rows

    @staticmethod
    def begun(mixtures: Mixtures) -> _Stream:
        """From the first rows, or where an earlier run has come to."""
        run = mixtures.run
        data, online = run.data, online_of(run.settings)
        source = data.source
        state, found = state_of(run.folder, run.settings), _searched(mixtures)
        chosen = found.chosen or run.give_up(found)
        model = chosen.candidate.model
        batch = max(online.batch, ROWS_OF_COMPONENT * model.n_components)
        climb = AsTheyCome(model, chosen.parameters, source, run.runner, online.decay, batch)
        window = joined([source[index] for index in range(len(source))])
        stream = _Stream(run, mixtures.wanted, found, climb, batch, window, data.n_rows_read, len(data.rows))
        _tell_columns(run)
        stream.told = len(run.record.warnings)
        if state is not None:
            stream.restore(state)
        return stream

    def batches(self) -> Iterator[Block]:
        """The rows that come, so many at once; at their end, and where they cannot be read, those that are left."""
        parts, n, failed = list[Block](), 0, None
        try:
            for block in self._chunks():
                parts.append(block)
                n += block.n_rows
                while n >= self.batch:
                    whole = joined(parts)
                    yield whole.cut(slice(0, self.batch))
                    parts, n = [whole.cut(slice(self.batch, n))], n - self.batch
        except EmError as error:
            failed = error
        if n:
            yield joined(parts)
        if failed is not None:
            raise failed

    @property
    def _awaited(self) -> Awaited:
        assert self.run.awaited is not None, "rows are handed out"
        return self.run.awaited

    def _chunks(self) -> Iterator[Block]:
        """The rows that come and have all cells, until they end or the run is to end."""
        data, reading, halt = self.run.data, self.run.reading, self.run.halt
        units = {**reading.in_units, **data.units}
        options = replace(reading, id=None, in_units=units, store=None, observe=ignore)
        pieces = self._awaited.others()
        while not halt():
            try:
                with halt.interruption.awaiting(halt.deadline):
                    piece = next(pieces, None)
            except Interrupted:
                continue  # which the halt tells of
            if piece is None:
                return
            for chunk in _suiting(piece, data.schema.columns, options):
                self.n_read += chunk.n_rows
                self.run.record.observe(RowsRead(self.n_read, nan))
                weights = None if chunk.weights is None else chunk.weights[chunk.weights > 0]
                x = chunk.x if chunk.weights is None else chunk.x[:, chunk.weights > 0]
                if x.shape[1]:
                    yield Block(0, x, weights)

    def take(self, rows: Block) -> None:
        """Learn from a batch; write the model where it is time for that."""
        self.predicted += self.climb.see(InMemory(rows.x, rows.weights), self.batch)
        self.n_fitted += rows.n_rows
        self.unwritten += rows.n_rows
        both = joined([self.window, rows])
        self.window = both.cut(slice(max(0, both.n_rows - max(self.window.n_rows, rows.n_rows)), both.n_rows))
        if self.unwritten >= online_of(self.run.settings).every:
            self.write()

    def write(self, record: Record | None = None) -> tuple[Params, list[str], ScoredMixture]:
        """The model so far, whole: its document, the names of what is in the run folder, and the fit.

        What is doubtful of it is told where it is the last; before that it is in the document alone.
        """
        run, kept = self.run, self.run.record
        record = record or Record(ignore, kept.warnings, kept.seconds, kept.at_times)
        del record.warnings[self.told :]
        if self.unwritten:
            self.trace.append(self.predicted / self.unwritten)
        fitted = self._fitted()
        own = Mixtures(replace(run, data=self.data_seen(), record=record), self.wanted).scored(fitted)
        self._tell(own)
        params: Params = {**own.document(), "stream": self._stream()}
        run.record.observe(model_chosen(params))
        names = self._deliver(own.run, own.result, params, fitted)
        self.unwritten, self.predicted = 0, 0.0
        return params, names, own

    def _deliver(self, own: Run, result: Scored, params: Params, fitted: Fitted) -> list[str]:
        report, names = own.settings.request.report, list[str]()
        if own.folder is not None:
            own.folder.take_again()
            keep_state(own.folder, own.settings, self._awaited.text, self._state())
            tables = tables_of(own.settings, own.data, params, result)
            files = run_files(own.settings, params, tables, [fitted])
            names = own.folder.deliver(files, own.about(result, params, [fitted]), finished=False)
        if report.params and report.params != "-":
            write_file(report.params, [to_json(params)])
        return names

    def data_seen(self) -> Data:
        """The last rows, as those of all that there were."""
        n_read, n_fitted = self.n_read, self.n_fitted
        return replace(
            data_of(self.run.data, self.window), n_rows_read=n_read, rows=FittedRows(n_fitted, ()), n_missing={}
        )

    def _fitted(self) -> Fitted:
        """The model so far, as one more climb than those on the first rows."""
        parameters = self.climb.parameters
        log_likelihood, weight = self.climb.log_likelihood(parameters, InMemory(self.window.x, self.window.weights))
        self.log_likelihoods.append(log_likelihood)
        trace = tuple(self.trace)
        log_likelihoods = tuple(self.log_likelihoods)[-len(trace) :] if trace else ()
        first = self.found.chosen
        assert first is not None, "the search has found a fit"
        run = self.run
        candidate = replace(first.candidate, algorithm=run.plan.algorithm, number=len(self.found.ledger), climbed=())
        result = FitResult(
            candidate,
            parameters,
            log_likelihood,
            weight,
            trace or (log_likelihood,),
            Status.INTERRUPTED if run.halt.reason else Status.COMPLETED,
            inf,
            objective=log_likelihood,
            stages=((0, PREDICTIVE),) if trace else (),
            log_likelihoods=log_likelihoods,
        )
        n_first = run.data.source.n_rows
        before = tuple(replace(entry, verdict=Verdict.STOPPED, sample_rows=n_first) for entry in self.found.ledger)
        ledger = (*before, Entry(result, "first rows", (), Verdict.BEST))
        return replace(
            self.found,
            chosen=result,
            degeneracies=(None,) * self.found.n_components,
            ledger=ledger,
            led=self.found.at_best,
        )

    def _stream(self) -> StreamFields:
        """What the document says of the rows that have come."""
        return {
            "first_rows": self.run.data.source.n_rows,
            "last_rows": self.window.n_rows,
            "batch": self.batch,
            "batches_refused": self.climb.refused,
            "predictive_log_likelihood": self.trace[-1] if self.trace else None,
        }

    def _tell(self, own: ScoredMixture) -> None:
        """Say what is doubtful of the model so far."""
        run, record = own.run, own.run.record
        warn_of_halt(run.halt.reason, run.settings.config, record, run.folder is not None)
        warn_of_fit(own.result, own.context, run.data, record)
        if self.climb.refused:
            record.warn(
                "batches_refused",
                f"{self.climb.refused:,} batches of {self.batch:,} rows were not learnt from: a component would have "
                "collapsed on them.",
            )

    def _state(self) -> Packed:
        """What a run needs that goes on from here."""
        climb, packed = self.climb, Packed()
        statistics = [packed.put(own) for own in (climb.statistics, climb.mean)]
        window = [packed.put(own) for own in (self.window.x, self.window.weights)]
        packed.facts = {
            "statistics": statistics,
            "window": window,
            "rows": [self.n_read, self.n_fitted],
            "climb": [climb.steps, climb.refused],
            "trace": [list(self.trace), list(self.log_likelihoods)],
        }
        return packed

    def restore(self, packed: Packed) -> None:
        """Be where an earlier run was when it last wrote its model."""
        facts, arrays, climb = packed.facts, packed.arrays, self.climb
        statistics, mean = (_as(climb.mean, [arrays[place] for place in places]) for places in facts["statistics"])
        climb.go_on(statistics, mean, *facts["climb"])
        x, weights = ([arrays[place] for place in places] for places in facts["window"])
        self.window = Block(0, x[0], weights[0] if weights else None)
        self.n_read, self.n_fitted = facts["rows"]
        self.trace.extend(facts["trace"][0])
        self.log_likelihoods.extend(facts["trace"][1])


def _suiting(piece: Piece, columns: Sequence[Column], options: ReadOptions) -> Iterator[Chunk]:
    """The rows up to the first that cannot be read, which is refused."""
    try:
        yield chunk_of(piece, columns, options)
    except DataError:
        if len(piece.frame) < 2:
            raise
        for half in parted(piece, len(piece.frame) // 2):
            yield from _suiting(half, columns, options)


def _as(like: ModelStatistics, arrays: list[Array]) -> ModelStatistics:
    """These arrays in the places of those."""
    left = iter(arrays)
    return map_arrays(lambda _: next(left), like)


def _searched(mixtures: Mixtures) -> Fitted:
    """The fit of the first rows, where a search would go on from."""
    run = mixtures.run
    algorithm = run.plan.algorithm.on_sample
    assert algorithm is not None, "it begins on a sample"
    (found,) = replace(mixtures, run=replace(run, plan=replace(run.plan, algorithm=algorithm))).search()
    return found


def _tell_columns(run: Run) -> None:
    """Say what was decided of the columns, and by how many rows: those to come must suit."""
    kinds: dict[str, list[str]] = {}
    for column in run.data.schema.columns:
        kinds.setdefault(column.type, []).append(column.name)
    told = ", ".join(f"{listed(names)} {kind}" for kind, names in kinds.items())
    run.record.warn(
        "first_rows",
        f"the first {run.data.n_rows_read:,} rows decide of the columns: {told}. If that is wrong, say --type "
        "COLUMN=TYPE. The log-likelihood, and whatever is told of rows, is of as many of the last.",
    )
