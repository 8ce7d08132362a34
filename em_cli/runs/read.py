"""The data of a run, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from em_cli.config.choices import ELSEWHERE
from em_cli.config.run_config import DataConfig, RunConfig
from em_cli.engine.events import DataRead, Warned, ignore
from em_cli.errors import DataError
from em_cli.models.haplotypes import wanted_pairs
from em_cli.models.specification import column_types, needs_sequences, paired, wishes
from em_cli.models.topics import wanted_topics
from em_cli.runs.record import Record
from em_cli.runs.search_plan import runner_of
from em_cli.sources.awaited import Awaited
from em_cli.sources.decoding import WESTERN, NotUtf8
from em_cli.sources.quoting import listed
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.spool import Spool
from em_cli.sources.table import Data

if TYPE_CHECKING:
    from em_cli.engine.protocols import Elsewhere
    from em_cli.sources.corpus_options import CorpusOptions

TERMS = "terms"  # what is fitted of documents


def read_options(
    data: DataConfig, types: Mapping[str, str], default_type: str = "auto", sequential: bool = False
) -> ReadOptions:
    """How to read; the types must be types, and no families."""
    return ReadOptions(
        columns=tuple(data.columns) if data.columns is not None else None,
        exclude=tuple(data.exclude),
        id=data.id,
        files=data.files,
        types=types,
        transforms=data.transforms,
        in_units=data.units,
        delimiter=data.delimiter,
        decimal=data.decimal,
        thousands=data.thousands,
        encoding=data.encoding,
        comment=data.comment,
        header=data.header,
        skip=data.skip,
        na=tuple(data.na),
        na_level=tuple(data.na_level),
        missing=data.missing,
        default_type=default_type,
        weights=data.weights,
        labels=data.labels,
        sequential=sequential,
        sequence=data.sequence,
        group=data.group,
        order=data.order,
        step=None if data.step is None else str(data.step),
    )


def reading_of_run(config: RunConfig, spool: Spool | None) -> ReadOptions:
    """How a run reads its data, and where it keeps what can be read only once."""
    types, default_type = column_types(config)
    options = read_options(config.data, types, default_type, needs_sequences(config))
    sampling = config.data.weight_type == "sampling"
    roles = _roles(config)
    options = replace(options, together=paired(wishes(config)), mean_weight_one=sampling, spool=spool, **roles)
    return options.with_files_as_id()


def read_data(config: RunConfig, options: ReadOptions, record: Record, awaited: Awaited | None = None) -> Data:
    """Read the data, and pass on what the reader noticed."""
    documents = wanted_topics(config)
    options = replace(options, observe=record.observe)
    if config.runner.name == ELSEWHERE:
        options = replace(options, elsewhere=cluster_of(config))
    with record.timed("reading"):
        data = _rows(config, options, awaited) if documents is None else _documents(config, options, documents)
    names = data.schema.names if documents is None else (TERMS,)
    dropped = data.n_rows_read - len(data.rows)
    record.observe(DataRead(data.name, data.n_rows_read, len(names), tuple(names), dropped))
    for notice in data.notices:
        record.warn(notice.code, notice.message)
    if data.on_disk and options.store is not None and (slow := options.store.slow()):
        record.observe(Warned("slow_disk", slow))  # no part of the result, which is the same anywhere
    return data


def cluster_of(config: RunConfig) -> Elsewhere:
    """The processes of a run that sees to it that others compute."""
    from em_cli.runners.dask import Dask

    others = runner_of(config)
    assert isinstance(others, Dask), "it is the one that computes elsewhere"
    return others


def _rows(config: RunConfig, options: ReadOptions, awaited: Awaited | None) -> Data:
    if awaited is not None or config.cache is None or options.store is None or config.runner.name == ELSEWHERE:
        return _read(config.data.path, options, awaited)
    from em_cli.sources.kept_rows import read_or_kept  # most runs have no cache

    return read_or_kept(config.data.path, options, options.store, Path(config.cache))


def _read(paths: Sequence[str], options: ReadOptions, awaited: Awaited | None) -> Data:
    """The rows; where the encoding must be named, what must be said besides is told as well."""
    try:
        return read(paths, options, awaited)
    except NotUtf8 as error:
        if awaited is not None or not all(Path(path).is_file() for path in paths):
            raise  # what is no file, is read once
        also = ""
        try:
            read(paths, replace(options, encoding=WESTERN, observe=ignore, elsewhere=None))
        except DataError as other:
            also = f" Read so: {other}"
        raise DataError(f"{error}{also}") from None


def _documents(config: RunConfig, options: ReadOptions, wanted: CorpusOptions) -> Data:
    from em_cli.sources.corpus_reader import read_documents

    return read_documents(config.data.path, replace(options, id=None), wanted)


def _roles(config: RunConfig) -> dict[str, Any]:
    """What columns are to a regression, if there is one, to the mixing weights, or to haplotypes."""
    from em_cli.models.asked_regression import asked_regression

    asked = asked_regression(config)
    if asked is None:
        if wanted_pairs(config):
            return {"alleles": {}}
        told = tuple(config.concomitant)
        chosen = {} if config.data.columns is None else {"columns": (*config.data.columns, *told)}
        return chosen | {"regressors": told}
    needed = (asked.response, *asked.beside)
    return {"columns": asked.columns, "response": asked.response, "regressors": asked.regressors, "needed": needed}


def check_labels(data: Data, k: int) -> None:
    """Refuse fewer components than there are labels."""
    if k < (n := len(data.label_names)):
        raise DataError(
            f"{data.name}: the labels name {n} components ({listed(data.label_names)}), more than k = {k}. "
            f"Use -k {n} or more."
        )


def too_few_rows(data: Data, k: int, distinct: int) -> DataError:
    """The refusal of more components than there are distinct rows."""
    return DataError(
        f"{data.name} has {distinct} distinct rows in the columns to fit: too few for {k} components. Use a smaller -k."
    )
