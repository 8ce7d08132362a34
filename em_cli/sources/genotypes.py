"""Genotypes of unknown phase, and the haplotypes that each of them may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.errors import DataError
from em_cli.sources.in_memory import InMemory
from em_cli.sources.quoting import listed, quoted

MOST_LOCI = 12
MISSING = 3  # the code of a cell that is


@dataclass(frozen=True, eq=False)
class Genotypes:
    """G different genotypes at L loci, in the order of their cells; copies 0, 1, 2 of an allele, NaN where missing."""

    loci: tuple[str, ...]
    table: Array  # (L, G)
    counts: Array  # (G,) individuals of each, by their weights

    @property
    def n_individuals(self) -> float:
        return float(self.counts.sum())

    @cached_property
    def _held(self) -> list[tuple[Integers, Integers]]:
        """Of each genotype the codes of haplotypes that it may hold, and which of its halves each belongs to."""
        return [held_by(genotype) for genotype in self.table.T]

    @property
    def n_held(self) -> int:
        """Haplotypes of all genotypes, each as often as it stands there."""
        seen = 1 << ((self.table == 1) | np.isnan(self.table)).sum(axis=0)
        return int(seen.sum())

    @cached_property
    def possible(self) -> Integers:
        """(H,) codes of the haplotypes that some genotype may hold, ascending."""
        return np.unique(np.concatenate([codes for codes, _ in self._held])).astype(np.intp)

    @cached_property
    def source(self) -> InMemory:
        """Rows are haplotypes that a genotype may hold, the columns the place of the haplotype and its half."""
        lengths = [len(codes) for codes, _ in self._held]
        halves = np.cumsum([0, *(int(half[-1]) + 1 for _, half in self._held[:-1])])
        codes = np.searchsorted(self.possible, np.concatenate([codes for codes, _ in self._held]))
        own = np.concatenate([half + first for (_, half), first in zip(self._held, halves, strict=True)])
        return InMemory(
            np.stack([codes, own]).astype(np.float64),
            np.repeat(self.counts, lengths),
            groups=np.cumsum([0, *lengths]).astype(np.intp),
        )

    @cached_property
    def evenly(self) -> Array:
        """(H,) shares of the possible haplotypes, were all ways to hold a genotype equally likely."""
        lengths, source = np.array([len(codes) for codes, _ in self._held]), self.source
        each = np.repeat(self.counts / (lengths * self.n_individuals), lengths)
        found: Array = np.bincount(source.x[0].astype(np.intp), each, len(self.possible)).astype(np.float64)
        return found

    @property
    def alleles(self) -> Array:
        """(L,) frequencies of the allele that is counted, by the cells that are there; a half where none is."""
        seen = ~np.isnan(self.table)
        counted = (np.nan_to_num(self.table) * self.counts).sum(axis=1)
        total = 2 * (seen * self.counts).sum(axis=1)
        found: Array = np.divide(counted, total, out=np.full(len(total), 0.5), where=total > 0)
        return found


def bits(codes: Integers, n_loci: int) -> Integers:
    """(…, L) alleles 0 or 1 of haplotypes, the first locus being the highest bit of their codes."""
    found: Integers = (codes[..., None] >> np.arange(n_loci - 1, -1, -1)) & 1
    return found


def held_by(genotype: Array) -> tuple[Integers, Integers]:
    """Codes of the haplotypes that a genotype (L,) may hold, and the half of it that each belongs to."""
    powers = 1 << np.arange(len(genotype) - 1, -1, -1)
    base = int(powers[genotype == 2].sum())
    codes = _any_of(powers[genotype == 1])[:, None] + _any_of(powers[np.isnan(genotype)])[None, :] + base
    halves = np.repeat(np.arange(codes.shape[0]), codes.shape[1])
    return codes.ravel(), halves


def _any_of(powers: Integers) -> Integers:
    """(2^a,) sums of some of them: the first and the last, the second and the last but one have all together."""
    sums = np.zeros(1, np.intp)
    for power in powers[::-1].tolist():
        sums = np.concatenate([sums, sums + power])
    return sums


def genotypes_of(
    loci: Sequence[str], cells: Array, weights: Array | None, rows: Integers, name: str
) -> tuple[Genotypes, Integers]:
    """The genotypes in cells (L, n) of these data rows, and which of them each row has.

    `DataError` names the first cell that is none, or says that loci are too many.
    """
    if len(loci) > MOST_LOCI:
        raise DataError(
            f"{name} has {len(loci)} loci ({listed(loci)}), and pairs of haplotypes are summed over exactly: "
            f"that goes for up to {MOST_LOCI}: choose some with --columns."
        )
    wrong: Flags = ~(np.isnan(cells) | np.isin(cells, (0.0, 1.0, 2.0)))
    if wrong.any():
        row = int(wrong.any(axis=0).argmax())
        place = int(wrong[:, row].argmax())
        raise DataError(
            f"{name}, row {int(rows[row]) + 1}, column {quoted(loci[place])}: {cells[place, row]:.15g} is no genotype. "
            "It must be how many copies of one of two alleles there are: 0, 1 or 2. What is no locus is left out by "
            "--exclude, or carried along by --id."
        )
    coded = np.where(np.isnan(cells), MISSING, cells).astype(np.intp)
    known, first, of_row = np.unique(
        4 ** np.arange(len(loci) - 1, -1, -1) @ coded, return_index=True, return_inverse=True
    )
    counts = np.bincount(of_row, weights, len(known)).astype(np.float64)
    return Genotypes(tuple(loci), cells[:, first], counts), of_row.astype(np.intp)
