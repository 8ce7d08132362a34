"""Haplotypes as they are written: their document and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli import __version__
from em_cli.documents.found import WarningFields
from em_cli.documents.haplotypes_json import HaplotypeParams
from em_cli.documents.known import known_as
from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.outputs.haplotypes_file import SCHEMA_VERSION, LoadedHaplotypes
from em_cli.outputs.model_file import OF_HAPLOTYPES
from em_cli.outputs.search_found import ended, search_found
from em_cli.search.haplotype_search import at
from em_cli.search.ledger import Fitted
from em_cli.sources.genotypes import Genotypes, bits

DIED_OUT = 1e-6  # expected copies; a haplotype that has fewer has the frequency 0
LEAST = 0.01  # probability of a pair that pairs.csv lists; the likeliest of an individual stands there always
HAPLOTYPE_COLUMNS = ("haplotype", "frequency", "copies")


@dataclass(frozen=True, slots=True, eq=False)
class ScoredHaplotypes:
    """The frequencies of the haplotypes that there are, the commonest first, and what they say of the genotypes."""

    fitted: Fitted
    genotypes: Genotypes
    codes: Integers  # (H,)
    frequency: Array  # (H,)
    log_likelihood: float  # of exactly these
    log_likelihood_equilibrium: float  # were the loci independent
    degeneracies: tuple[None, ...] = ()

    @property
    def copies(self) -> Array:
        found: Array = self.frequency * 2 * self.genotypes.n_individuals
        return found

    @property
    def loaded(self) -> LoadedHaplotypes:
        """As it will be read back."""
        own = self.genotypes
        return LoadedHaplotypes(
            known_as(HaplotypeParams, {}), own.loci, bits(self.codes, len(own.loci)), self.frequency, own.written
        )


def scored_haplotypes(fitted: Fitted, genotypes: Genotypes, runner: Runner) -> ScoredHaplotypes:
    """The chosen end, without what has died out."""
    assert fitted.chosen is not None, "there is a fit to score"
    chosen = fitted.chosen
    p = chosen.parameters.components.frequency[0]
    p = np.where(2 * genotypes.n_individuals * p >= DIED_OUT, p, 0.0)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    order = order[p[order] > 0]
    (batch,) = one_pass([Stack(chosen.candidate.model, stack([at(p)]))], genotypes.source, runner)
    return ScoredHaplotypes(
        fitted,
        genotypes,
        genotypes.possible[order],
        p[order],
        float(batch.log_likelihood[0]),
        _at_equilibrium(genotypes),
    )


def _at_equilibrium(genotypes: Genotypes) -> float:
    """The log-likelihood were the loci independent of each other: by Hardy & Weinberg, of each of them."""
    q = genotypes.alleles[:, None]
    by_copies = np.stack([(1 - q) ** 2, 2 * q * (1 - q), q**2])  # (3, L, 1)
    found = 0.0
    for copies, probability in enumerate(by_copies):
        individuals = (genotypes.table == copies) @ genotypes.counts
        found += float((individuals * np.log(np.where(individuals > 0, probability[:, 0], 1.0))).sum())
    return found


def haplotypes_document(
    result: ScoredHaplotypes, about: Mapping[str, Any], cut_by: str, warnings: Sequence[WarningFields]
) -> HaplotypeParams:
    """The whole document; `about` is what is said of the run beside the fit. Identical runs give identical bytes."""
    fitted, genotypes, chosen = result.fitted, result.genotypes, result.fitted.chosen
    assert chosen is not None, "there is a fit to write"
    document: dict[str, object] = {
        "format": OF_HAPLOTYPES,
        "schema_version": SCHEMA_VERSION,
        "em_version": __version__,
        "latent": "pairs",
        "loci": list(genotypes.loci),
        **({"alleles": [list(pair) for pair in genotypes.written]} if genotypes.names_alleles else {}),
        "haplotypes": list(haplotype_rows(result)),
        "n_haplotypes": len(result.codes),
        "n_possible": len(genotypes.possible),
        "n_individuals": genotypes.n_individuals,
        "n_genotypes": len(genotypes.counts),
        "log_likelihood": result.log_likelihood,
        "log_likelihood_equilibrium": result.log_likelihood_equilibrium,
        **ended(chosen, cut_by),
        "search": search_found(fitted, about["effort"]),
    }
    rest = {name: value for name, value in about.items() if name != "effort"}
    return known_as(HaplotypeParams, document | rest | {"warnings": [dict(one) for one in warnings]})


def haplotype_rows(result: ScoredHaplotypes) -> Iterator[dict[str, object]]:
    """`haplotypes.csv`: the alleles at the loci one after the other; 1 is one that is counted."""
    shown = result.loaded.names
    for name, p, copies in zip(shown, result.frequency.tolist(), result.copies.tolist(), strict=True):
        yield dict(zip(HAPLOTYPE_COLUMNS, (name, p, copies), strict=True))


def pair_columns(key: str) -> tuple[str, ...]:
    """Of `pairs.csv` and of what em predict gives."""
    return (key, "haplotype_1", "haplotype_2", "probability")


def pair_rows(
    loaded: LoadedHaplotypes, table: Array, of_row: Integers, keys: Sequence[str] | range, key: str
) -> Iterator[dict[str, object]]:
    """The pairs of each individual, the likeliest first; `of_row` (n,) is its genotype in the table (L, G), or -1.

    One line without a pair, where nothing is known of it or it has none.
    """
    columns, known = pair_columns(key), dict[int, list[tuple[str, str, float]]]()
    for name, genotype in zip(keys, of_row.tolist(), strict=True):
        if genotype >= 0 and genotype not in known:
            known[genotype] = loaded.pairs(table[:, genotype], LEAST)
        pairs: Sequence[tuple[object, ...]] = known.get(genotype) or [(None, None, None)]
        for pair in pairs:
            yield dict(zip(columns, (name, *pair), strict=True))
