"""What stands in the `params.json` of haplotypes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from em_cli.outputs.described import SOMETIMES, Described, says
from em_cli.outputs.found_fields import FoundFields
from em_cli.sources.genotypes import alleles_of, coded

OFF_ONE = 1e-6  # that frequencies may sum to, by rounding


class OneHaplotype(Described):
    """A haplotype, the commonest first."""

    haplotype: Annotated[str, says("its alleles in the order of the loci; 1 is one that cells count")]
    frequency: Annotated[float, Field(gt=0, le=1 + OFF_ONE), says("among all haplotypes")]
    copies: Annotated[float, says("expected in the data, two in each individual")]


class HaplotypeFields(Described):
    """What makes the model, and is needed to read it."""

    format: Annotated[str, says("em.haplotypes"), Field(json_schema_extra={"const": "em.haplotypes"})]
    schema_version: Annotated[int, says("1; raised where a field changes its meaning")]
    latent: Annotated[str, says("pairs")]
    loci: Annotated[list[str], Field(min_length=1, max_length=62), says("the columns, in the order of the alleles")]
    alleles: Annotated[
        list[Annotated[list[str], Field(min_length=2, max_length=2)]],
        says("of each locus, where some cells name them; 0 and 1 where cells count copies, ? where there is no second"),
        SOMETIMES,
    ] = Field(default_factory=list)
    haplotypes: Annotated[list[OneHaplotype], Field(min_length=1), says("those there are; of others it is 0")]
    reading: Annotated[dict[str, Any], says("how the data were read, where it was not by the defaults"), SOMETIMES] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _alleles(self) -> HaplotypeFields:
        names = [one.haplotype for one in self.haplotypes]
        if len(set(names)) < len(names):
            raise ValueError("a haplotype stands there twice")
        if len(set(self.loci)) < len(self.loci):
            raise ValueError("a locus stands there twice")
        if self.alleles and len(self.alleles) != len(self.loci):
            raise ValueError("there must be two alleles for each locus")
        written = alleles_of(self.loci, self.alleles)
        if any(one == other or not one or not other for one, other in written):
            raise ValueError("the two alleles of a locus must differ, and have names")
        if any(coded(name, written) is None for name in names):
            raise ValueError(f"a haplotype must be {len(self.loci)} alleles, one of those of each locus")
        if not abs(sum(one.frequency for one in self.haplotypes) - 1) <= OFF_ONE:
            raise ValueError("the frequencies must sum to one")
        return self


class HaplotypeParams(FoundFields, HaplotypeFields):
    """Haplotypes of genotypes: params.json, and what em fit --latent pairs --json prints."""

    n_haplotypes: Annotated[int, says("that have a frequency above 0")]
    n_possible: Annotated[int, says("that some genotype may hold")]
    n_individuals: Annotated[float, says("by their weights; those without any genotype are not among them")]
    n_genotypes: Annotated[int, says("that differ")]
    log_likelihood: Annotated[float, says("of the genotypes, natural logarithm, at these frequencies")]
    log_likelihood_equilibrium: Annotated[float, says("the same were the loci independent of each other")]
