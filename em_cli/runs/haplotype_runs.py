"""Runs that fit haplotypes, from what was asked for to what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.config.texts import record
from em_cli.display.haplotypes_page import haplotypes_read_line, haplotypes_summary
from em_cli.display.text import counted
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.events import ModelChosen
from em_cli.engine.rows import cells
from em_cli.memory import MIB, check
from em_cli.outputs.folder import Content
from em_cli.outputs.haplotypes_document import (
    HAPLOTYPE_COLUMNS,
    ScoredHaplotypes,
    haplotype_rows,
    haplotypes_document,
    pair_columns,
    pair_rows,
    scored_haplotypes,
)
from em_cli.outputs.tables import csv_text
from em_cli.runs.deliver import Delivery
from em_cli.runs.remembered import reading_of
from em_cli.runs.run import Run
from em_cli.runs.screen import color_wanted, width
from em_cli.runs.stdout import in_form, place_text, unsaid
from em_cli.runs.warnings import warn_if_not_converged, warn_if_reached_once, warn_of_halt
from em_cli.search.haplotype_search import EXTENTS, search_haplotypes
from em_cli.sources.genotypes import Genotypes, genotypes_of, refuse_single_alleles
from em_cli.sources.table import Data

NUMBER = 8  # bytes
TOGETHER = 6  # numbers for each haplotype of each genotype, and of each climb beside it


@dataclass(frozen=True, slots=True, eq=False)
class ReadGenotypes:
    """Genotypes of the rows that count, and of all rows."""

    genotypes: Genotypes
    table: Array  # (L, G') of all rows
    of_row: Integers  # (n,) which of these each row read has, -1 where nothing is known of it


def read_genotypes(data: Data, order: Integers | None = None) -> ReadGenotypes:
    """The genotypes of data, whose columns may be wanted in another order; rows without weight do not count."""
    places = np.arange(len(data.schema.names)) if order is None else order
    used = np.asarray(data.rows.between(0, len(data.rows)))
    weights = [data.source[index].weights for index in range(len(data.source))]
    counts = None if weights[0] is None else np.concatenate([own for own in weights if own is not None])
    names = [data.schema.names[place] for place in places.tolist()]
    found, own = genotypes_of(names, cells(data.source, places.tolist()), counts, used, data.name, data.alleles)
    x = data.others.x[places]
    seen = ~np.isnan(x).all(axis=0)
    of_row = np.full(data.n_rows_read, -1, np.intp)
    of_row[used] = own
    of_row[data.others.rows[seen]] = found.table.shape[1] + np.arange(np.count_nonzero(seen))
    return ReadGenotypes(found, np.concatenate([found.table, x[:, seen]], axis=1), of_row)


def fit_haplotypes(run: Run) -> None:
    """All that genotypes of unknown phase tell of their haplotypes."""
    found = read_genotypes(run.data)
    genotypes = found.genotypes
    refuse_single_alleles(genotypes, run.data.name)
    effort = run.settings.effort or "normal"
    climbs = run.plan.restarts or EXTENTS[effort].scaled(genotypes.n_held).starts
    check(
        NUMBER * genotypes.n_held * (TOGETHER + climbs * TOGETHER) + 64 * MIB,
        f"the haplotypes of {run.data.name} ({counted(len(genotypes.counts), 'genotype')}, which may hold "
        f"{genotypes.n_held:,} in all)",
    )
    if run.only_planned:
        run.say([plan_text(run, genotypes, climbs)])
        return
    with run.record.timed("search", shown=False):
        fitted = search_haplotypes(
            genotypes, run.plan, effort, run.runner, run.record.observe, run.halt, run.checkpoint
        )
    if fitted.chosen is None:
        run.give_up(fitted)
    with run.record.timed("scoring"):
        result = scored_haplotypes(fitted, genotypes, run.runner)
    tell_doubts(run, result)
    params = document(run, result)
    run.record.observe(ModelChosen("pairs", params["n_haplotypes"], params["log_likelihood"], (), ""))
    written = delivered(run, result, params, found)
    run.say(text_of(run, params, written))


def tell_doubts(run: Run, result: ScoredHaplotypes) -> None:
    """Say what is doubtful about haplotypes."""
    config, fitted = run.settings.config, result.fitted
    warn_of_halt(run.halt.reason, config, run.record, run.checkpoint is not None)
    chosen = fitted.chosen
    assert chosen is not None, "there is a fit to speak of"
    warn_if_not_converged(chosen, config.search.max_iter, run.record)
    warn_if_reached_once(fitted, run.settings.effort, run.record)


def document(run: Run, result: ScoredHaplotypes) -> dict[str, Any]:
    """The document of the fit, with all that there is to warn of."""
    settings, data = run.settings, run.data
    config = settings.config
    about = {
        "effort": settings.effort,
        "tol": config.search.tol,
        "max_iter": config.search.max_iter,
        "random_state": config.seed,
        "reading": reading_of(config.data, data.id_name, data.marks),
        "data_sha256": data.data_sha256,
        "config_sha256": settings.fingerprint,
    }
    return haplotypes_document(result, about, run.halt.reason or "interrupted", run.record.warnings)


def delivered(run: Run, result: ScoredHaplotypes, params: Mapping[str, Any], found: ReadGenotypes) -> list[str]:
    """Write the run folder and the single files asked for; the names of what is in the folder."""
    data = run.data
    key = data.id_name or "row"

    def of_pairs(place: str) -> Content:
        keys = data.keys(0, data.n_rows_read)
        return csv_text(pair_columns(key), pair_rows(result.loaded, found.table, found.of_row, keys, key))

    tables: dict[str, Content] = {"haplotypes.csv": csv_text(HAPLOTYPE_COLUMNS, haplotype_rows(result))}
    if run.settings.config.responsibilities:
        tables["pairs.csv"] = of_pairs("pairs.csv")
    return run.write(Delivery(result, tables, of_pairs), params, [result.fitted], {})


def plan_text(run: Run, genotypes: Genotypes, climbs: int) -> str:
    """What a run would do, for `--dry-run`."""
    settings, n_loci = run.settings, len(genotypes.loci)
    lines = [
        f"would fit {run.data.name}: {genotypes.n_individuals:,.15g} individuals, "
        f"{counted(len(genotypes.counts), 'genotype')} at {n_loci} loci",
        f"  frequencies of {counted(len(genotypes.possible), 'haplotype')} that they may hold: "
        f"{counted(climbs, 'climb')}" + ("" if run.plan.restarts else ", and crosses of their ends"),
        place_text(settings),
    ]
    return "\n".join([*lines, "", record(settings.config)])


def text_of(run: Run, params: Mapping[str, Any], written: list[str]) -> Iterable[str]:
    """The result of a fit, on standard output."""
    settings, screen = run.settings, run.settings.request.screen

    def page() -> str:
        return haplotypes_summary(
            dict(params) | {"warnings": unsaid(params, screen)},
            read_line=f"{run.data.name}: {haplotypes_read_line(params)}",
            written=written,
            folder=settings.folder,
            width=width(),
            color=color_wanted(screen),
        )

    return in_form(settings, params, page)
