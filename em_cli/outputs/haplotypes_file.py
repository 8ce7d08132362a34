"""Haplotypes read back from a file that anyone may have edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.documents.haplotypes_json import HaplotypeParams
from em_cli.documents.known import known_as
from em_cli.engine.arrays import Array, Integers
from em_cli.errors import DataError
from em_cli.sources.files import label
from em_cli.sources.genotypes import UNKNOWN, alleles_of, coded, spelled

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class LoadedHaplotypes:
    """Haplotypes and their frequencies, ready to tell of which pairs a genotype may be made."""

    document: HaplotypeParams
    loci: tuple[str, ...]
    alleles: Integers  # (H, L) 0 or 1
    frequency: Array  # (H,)
    written: tuple[tuple[str, str], ...]  # the alleles of each locus

    @property
    def names(self) -> list[str]:
        """The alleles of each, one after the other."""
        return [spelled(row, self.written) for row in self.alleles.tolist()]

    @property
    def known(self) -> dict[str, tuple[str, ...]]:
        """The alleles that are known, by locus."""
        both = zip(self.loci, self.written, strict=True)
        return {locus: tuple(allele for allele in pair if allele != UNKNOWN) for locus, pair in both}

    def _joint(self, genotype: Array) -> tuple[Integers, Array]:
        """Places of the haplotypes that a genotype (L,) may hold, and the probability of each with each of them."""
        het, seen = genotype == 1, ~np.isnan(genotype)
        fits = (het | ~seen | (2 * self.alleles == genotype)).all(axis=1)
        own = np.flatnonzero(fits)
        alleles = self.alleles[own][:, het]
        key = alleles @ (1 << np.arange(alleles.shape[1]))
        other = (1 << alleles.shape[1]) - 1 - key
        p = self.frequency[own]
        return own, np.where(key[:, None] == other[None, :], p[:, None] * p[None, :], 0.0)

    def probability(self, genotype: Array) -> float:
        """Of a genotype (L,), NaN where it is not known; 0 if no two of the haplotypes make it."""
        return float(self._joint(genotype)[1].sum())

    def pairs(self, genotype: Array, least: float) -> list[tuple[str, str, float]]:
        """The pairs that a genotype is made of with such a probability at the least, or the likeliest; it comes first.

        The commoner haplotype of a pair stands before the other. There is none where no two of them make it.
        """
        own, joint = self._joint(genotype)
        total = joint.sum()
        if not total > 0:
            return []
        share = np.triu((joint + joint.T) / total, 1) + np.diag(np.diag(joint)) / total
        first, second = np.nonzero(share >= min(least, share.max()))
        order = np.argsort(-share[first, second], kind="stable")
        names = self.names
        return [
            (names[own[i]], names[own[j]], float(share[i, j]))
            for i, j in zip(first[order].tolist(), second[order].tolist(), strict=True)
        ]


def haplotypes_of(path: str, document: Mapping[str, object]) -> LoadedHaplotypes:
    """`DataError` says what is wrong with the document."""
    from em_cli.outputs.described import wrong_field
    from em_cli.outputs.haplotypes_fields import HaplotypeFields

    if (version := document.get("schema_version")) != SCHEMA_VERSION:
        raise DataError(f"{label(path)}: it has schema version {version!r}; this em reads {SCHEMA_VERSION}.")
    if wrong := wrong_field(HaplotypeFields, document):
        raise DataError(f"{label(path)}: {wrong}.")
    known = known_as(HaplotypeParams, document)
    found, written = known["haplotypes"], alleles_of(known["loci"], known.get("alleles"))
    alleles = np.array([coded(one["haplotype"], written) for one in found], np.intp)
    p = np.array([one["frequency"] for one in found], np.float64)
    return LoadedHaplotypes(known, tuple(known["loci"]), alleles, p, written)
