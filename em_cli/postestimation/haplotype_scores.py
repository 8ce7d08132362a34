"""New genotypes under haplotypes that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np

from em_cli.config.resolve import resolve
from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.options import ReadingOptions, layer
from em_cli.outputs.haplotypes_document import pair_columns, pair_rows
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.outputs.manifest import to_json
from em_cli.outputs.tables import csv_text
from em_cli.runs.read import read_options
from em_cli.runs.remembered import KEYS
from em_cli.runs.row_scores import warn
from em_cli.sources.genotypes_of_rows import ReadGenotypes, read_genotypes
from em_cli.sources.reader import read
from em_cli.sources.table import Data


def refuse_for_haplotypes(asked: Mapping[str, object]) -> None:
    """`UsageError` if an option is given that is about mixtures."""
    if said := [option for option, value in asked.items() if value not in (None, False, [])]:
        raise UsageError(
            f"{said[0]} is about components, and individuals have two haplotypes: em predict lists their pairs, "
            "em score --rows the log-probability of each genotype."
        )


@dataclass(frozen=True, slots=True, eq=False)
class NewGenotypes:
    """Genotypes that were read, and their probabilities."""

    data: Data
    read: ReadGenotypes
    probability: Array  # (G',) of those in the table

    @property
    def key(self) -> str:
        return self.data.id_name or "row"

    @property
    def keys(self) -> Sequence[str] | range:
        return self.data.keys(0, self.data.n_rows_read)

    @property
    def n_impossible(self) -> float:
        counts = self.read.genotypes.counts
        return float(counts[self.probability[: len(counts)] == 0].sum())


def new_genotypes(
    loaded: LoadedHaplotypes, paths: Sequence[str], reading: ReadingOptions, weights: str | None = None
) -> NewGenotypes:
    """Read as those of the fit were, unless something else is said."""
    said: dict[str, Any] = dict(loaded.document.get("reading") or {})
    own = replace(reading, **{key: said[key] for key in KEYS if key in said and getattr(reading, key) in (None, [])})
    config = resolve(None, [], layer(own)).data
    name = config.id or said.get("id")
    options = replace(
        read_options(config, {}, "count"),
        columns=loaded.loci,
        id=name,
        id_if_there=config.id is None,
        weights=weights,
        missing="model",
        alleles=loaded.known,
        blanks=True,
    )
    data = read(paths, options)
    order = np.array([data.schema.names.index(locus) for locus in loaded.loci], np.intp)
    own_rows = read_genotypes(data, order)
    found = NewGenotypes(data, own_rows, np.array([loaded.probability(one) for one in own_rows.table.T]))
    if found.n_impossible:
        some = f"{found.n_impossible:,.15g} individual{'' if found.n_impossible == 1 else 's'}"
        warn(f"no two of the haplotypes make the genotypes of {some}: nothing is said of them.")
    return found


def pairs_table(
    loaded: LoadedHaplotypes, paths: Sequence[str], reading: ReadingOptions, asked: Mapping[str, object]
) -> Iterator[str]:
    """The pairs of haplotypes of each individual, as CSV; `UsageError` for options that are of mixtures."""
    refuse_for_haplotypes(asked)
    found = new_genotypes(loaded, paths, reading)
    rows = pair_rows(loaded, found.read.table, found.read.of_row, found.keys, found.key)
    return csv_text(pair_columns(found.key), rows)


def genotype_scores(
    loaded: LoadedHaplotypes,
    paths: Sequence[str],
    reading: ReadingOptions,
    weights: str | None,
    rows: bool,
    asked: Mapping[str, object],
) -> Iterable[str]:
    """What `em score` tells of genotypes, together or by `rows`; `UsageError` for options that are of mixtures."""
    refuse_for_haplotypes(asked)
    if rows and weights:
        raise UsageError("--weights does not apply to --rows: they are those of each row alone.")
    if rows:
        return genotype_rows(loaded, paths, reading)
    return [to_json(genotypes_document(loaded, paths, reading, weights))]


def genotype_rows(loaded: LoadedHaplotypes, paths: Sequence[str], reading: ReadingOptions) -> Iterator[str]:
    """The log-probability of each genotype, blank where nothing is known of it or it is impossible, as CSV."""
    found = new_genotypes(loaded, paths, reading)
    columns, p = (found.key, "log_probability"), found.probability
    logs = [log(p[own]) if own >= 0 and p[own] > 0 else None for own in found.read.of_row.tolist()]
    return csv_text(columns, (dict(zip(columns, row, strict=True)) for row in zip(found.keys, logs, strict=True)))


def genotypes_document(
    loaded: LoadedHaplotypes, paths: Sequence[str], reading: ReadingOptions, weights: str | None
) -> dict[str, Any]:
    """The log-likelihood of all genotypes; null if one of them is impossible."""
    found = new_genotypes(loaded, paths, reading, weights)
    genotypes = found.read.genotypes
    p = found.probability[: len(genotypes.counts)]
    total = None if found.n_impossible else float(np.log(p) @ genotypes.counts)
    return {
        "n_individuals": genotypes.n_individuals,
        "n_without_genotype": int((found.read.of_row < 0).sum()),
        "n_impossible": found.n_impossible,
        "log_likelihood": total,
        "log_likelihood_per_individual": None if total is None else total / genotypes.n_individuals,
    }
