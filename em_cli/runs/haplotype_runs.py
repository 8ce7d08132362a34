"""Runs that fit haplotypes, from what was asked for to what is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from em_cli.config.texts import record
from em_cli.display.haplotypes_page import haplotypes_read_line, haplotypes_summary
from em_cli.display.text import counted
from em_cli.documents.haplotypes_json import HaplotypeParams
from em_cli.engine.events import ModelChosen
from em_cli.inference.hardy_weinberg import exact_p, expected_mixed
from em_cli.inference.reported import tail_in_words
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
from em_cli.runs.deliver import Delivery, about_run
from em_cli.runs.record import Record
from em_cli.runs.remembered import reading_of
from em_cli.runs.run import Run
from em_cli.runs.stdout import beside_of, in_form, place_text
from em_cli.runs.warnings import warn_of_climb
from em_cli.search.haplotype_search import EXTENTS, search_haplotypes
from em_cli.search.ledger import Fitted
from em_cli.sources.genotypes import Genotypes, refuse_single_alleles
from em_cli.sources.genotypes_of_rows import ReadGenotypes, read_genotypes
from em_cli.sources.quoting import listed, quoted

NUMBER = 8  # bytes
UNLIKELY = 0.001  # p of all loci together, below which one is said not to have the proportions that are supposed
TOGETHER = 6  # numbers for each haplotype of each genotype, and of each climb beside it


@dataclass(frozen=True, slots=True, eq=False)
class HaplotypePairs:
    """All that genotypes of unknown phase tell of their haplotypes, and the run that finds it."""

    run: Run
    read: ReadGenotypes

    @staticmethod
    def of(run: Run) -> HaplotypePairs:
        """Of the data; `DataError` if they are no genotypes, or there is too little memory."""
        pairs = HaplotypePairs(run, read_genotypes(run.data))
        genotypes = pairs.read.genotypes
        refuse_single_alleles(genotypes, run.data.name)
        check(
            NUMBER * genotypes.n_held * (TOGETHER + pairs.n_climbs * TOGETHER) + 64 * MIB,
            f"the haplotypes of {run.data.name} ({counted(len(genotypes.counts), 'genotype')}, which may hold "
            f"{genotypes.n_held:,} in all)",
        )
        return pairs

    @property
    def effort(self) -> str:
        return self.run.settings.effort or "normal"

    @property
    def n_climbs(self) -> int:
        return self.run.plan.restarts or EXTENTS[self.effort].scaled(self.read.genotypes.n_held).starts

    def plan(self) -> str:
        """What would be done."""
        run, genotypes = self.run, self.read.genotypes
        settings, n_loci = run.settings, len(genotypes.loci)
        lines = [
            f"would fit {run.data.name}: {genotypes.n_individuals:,.15g} individuals, "
            f"{counted(len(genotypes.counts), 'genotype')} at {n_loci} loci",
            f"  frequencies of {counted(len(genotypes.possible), 'haplotype')} that they may hold: "
            f"{counted(self.n_climbs, 'start')}" + ("" if run.plan.restarts else ", and crosses of their ends"),
            place_text(settings),
        ]
        return "\n".join([*lines, "", record(settings.config)])

    def search(self) -> list[Fitted]:
        """The only fit."""
        run, genotypes = self.run, self.read.genotypes
        observe = run.record.observe
        with run.record.timed("search", shown=False):
            return [search_haplotypes(genotypes, run.plan, self.effort, run.runner, observe, run.halt, run.checkpoint)]

    def chosen(self, fits: Sequence[Fitted]) -> ChosenHaplotypes | None:
        """The only fit, as it is written."""
        (fitted,) = fits
        if fitted.chosen is None:
            return None
        with self.run.record.timed("scoring"):
            result = scored_haplotypes(fitted, self.read.genotypes, self.run.runner)
        return ChosenHaplotypes(self.run, self.read, result)


@dataclass(frozen=True, slots=True, eq=False)
class ChosenHaplotypes:
    """Haplotypes as they are written."""

    run: Run
    read: ReadGenotypes
    result: ScoredHaplotypes

    def warn(self) -> None:
        """Say what is doubtful about them."""
        self.run.warn_of_halt()
        warn_of_climb(self.result.fitted, self.run.settings, self.run.record)
        _warn_of_proportions(self.read.genotypes, self.run.record)

    def document(self) -> HaplotypeParams:
        """The document of the fit, with all that there is to warn of."""
        settings, data = self.run.settings, self.run.data
        reading = reading_of(settings.config.data, data.id_name, data.marks, layout=data.layout)
        about = about_run(settings, data, {"reading": reading})
        return haplotypes_document(self.result, about, self.run.halt.reason or "interrupted", self.run.record.warnings)

    def delivery(self) -> Delivery:
        run, result, read, params = self.run, self.result, self.read, self.document()
        run.record.observe(ModelChosen("pairs", params["n_haplotypes"], params["log_likelihood"], (), ""))
        settings, data, key = run.settings, run.data, run.data.id_name or "row"

        def of_pairs(place: str) -> Content:
            keys = data.keys(0, data.n_rows_read)
            return csv_text(pair_columns(key), pair_rows(result.loaded, read.table, read.of_row, keys, key))

        def text(written: Sequence[str]) -> Iterable[str]:
            beside = beside_of(settings, f"{data.name}: {haplotypes_read_line(params)}", params, written)
            return in_form(settings, params, lambda: haplotypes_summary(params, beside))

        tables: dict[str, Content] = {"haplotypes.csv": csv_text(HAPLOTYPE_COLUMNS, haplotype_rows(result))}
        if settings.config.responsibilities:
            tables["pairs.csv"] = of_pairs("pairs.csv")
        return Delivery(result, params, tables, of_pairs, text)


def _warn_of_proportions(genotypes: Genotypes, record: Record) -> None:
    """Say which loci are hardly such, or not of one population: their pairs are not drawn at random."""
    unlikely, told = list[str](), ""
    for locus, own in zip(genotypes.loci, genotypes.copies, strict=True):
        if (p := exact_p(own)) < UNLIKELY / len(genotypes.loci):
            unlikely.append(locus)
            told = told or (
                f"{own[1]:,.15g} of {own.sum():,.15g} hold one copy of each allele of {quoted(locus)}, "
                f"{expected_mixed(own):,.1f} are expected, {tail_in_words(p)}"
            )
    if unlikely:
        record.warn(
            "proportions_unlikely",
            "alleles are supposed to come together at random (Hardy-Weinberg proportions), and hardly do in "
            f"{listed(unlikely)}: {told}. --exclude leaves out what is no locus, such as a diagnosis of 0 and 1.",
        )
