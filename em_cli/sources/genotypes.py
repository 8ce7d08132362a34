"""Genotypes of unknown phase, and the haplotypes that each of them may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.errors import DataError
from em_cli.sources.in_memory import InMemory
from em_cli.sources.quoting import listed, quoted

MOST_LOCI = 12
MISSING = 3  # the code of a cell that is
COUNTED = ("0", "1")  # alleles of a locus whose cells count copies
UNKNOWN = "?"  # the allele that nobody has


@dataclass(frozen=True, eq=False)
class Genotypes:
    """G different genotypes at L loci, in the order of their cells; copies 0, 1, 2 of an allele, NaN where missing."""

    loci: tuple[str, ...]
    table: Array  # (L, G)
    counts: Array  # (G,) individuals of each, by their weights
    written: tuple[tuple[str, str], ...]  # the alleles of each locus, of which the second is counted

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

    @property
    def copies(self) -> Array:
        """(L, 3) how many hold 0, 1 and 2 copies of the allele that is counted."""
        found: Array = np.stack([(self.table == copies) @ self.counts for copies in range(3)], axis=1)
        return found

    @property
    def names_alleles(self) -> bool:
        """Whether some cells named their alleles, in place of counting one."""
        return any(pair != COUNTED for pair in self.written)


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
    loci: Sequence[str],
    cells: Array,
    weights: Array | None,
    rows: Integers,
    name: str,
    alleles: Mapping[str, tuple[str, ...]],
) -> tuple[Genotypes, Integers]:
    """The genotypes in cells (L, n) of these data rows, and which of them each row has; the alleles of loci, if known.

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
    written = tuple(_both(alleles.get(locus, ())) for locus in loci)
    return Genotypes(tuple(loci), cells[:, first], counts, written), of_row.astype(np.intp)


def refuse_single_alleles(found: Genotypes, name: str) -> None:
    """`DataError` if cells are single alleles 1 and 2, two columns to a locus, as haplo.stats and PLINK write them."""
    values = [set(own[~np.isnan(own)].tolist()) for own in found.table]
    if len(values) % 2 == 0 and not found.names_alleles and all(own == {1.0, 2.0} for own in values):
        raise DataError(
            f"{name}: every column holds the numbers 1 and 2, and no 0, as columns of single alleles do, two to a "
            "locus. Have one column for each locus, whose cells are how many copies of an allele there are, 0, 1 or 2, "
            "or name both alleles, such as 1/2. If they are copies, count the other alleles: have 2 less each number."
        )


def _both(alleles: tuple[str, ...]) -> tuple[str, str]:
    """Those of a locus; the second is not known where all cells name the first."""
    one, other, *_ = (*alleles, UNKNOWN, UNKNOWN) if alleles else COUNTED
    return one, other


def _between(written: Sequence[tuple[str, str]]) -> str:
    """What stands between alleles: a blank where some are long."""
    return "" if all(len(allele) == 1 for pair in written for allele in pair) else " "


def alleles_of(loci: Sequence[str], told: Sequence[Sequence[str]] | None) -> tuple[tuple[str, str], ...]:
    """Of each locus, as they are told, or 0 and 1 where nothing is."""
    return tuple((one, other) for one, other in told or [COUNTED] * len(loci))


def spelled(haplotype: Sequence[int], written: Sequence[tuple[str, str]]) -> str:
    """Its alleles one after the other, given by their places 0 or 1 among those of the loci."""
    return _between(written).join(pair[allele] for pair, allele in zip(written, haplotype, strict=True))


def coded(haplotype: str, written: Sequence[tuple[str, str]]) -> list[int] | None:
    """The other way; None if it is not made of these alleles."""
    between = _between(written)
    own = haplotype.split(between) if between else list(haplotype)
    if len(own) != len(written) or any(allele not in pair for allele, pair in zip(own, written, strict=True)):
        return None
    return [pair.index(allele) for allele, pair in zip(own, written, strict=True)]
