"""What stands in the `params.json` of haplotypes."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from em_cli.documents.found import FoundFields, SearchFields

OFF_ONE = 1e-6  # that frequencies may sum to, by rounding


class OneHaplotype(TypedDict):
    """A haplotype, the commonest first."""

    haplotype: Annotated[str, "its alleles in the order of the loci; 1 is one that cells count"]
    frequency: Annotated[float, "among all haplotypes", {"gt": 0, "le": 1 + OFF_ONE}]
    copies: Annotated[float, "expected in the data, two in each individual"]


class HaplotypeFields(TypedDict):
    """What makes the model, and is needed to read it."""

    format: Annotated[str, "em.haplotypes", {"json_schema_extra": {"const": "em.haplotypes"}}]
    schema_version: Annotated[int, "1; raised where a field changes its meaning"]
    latent: Annotated[str, "pairs"]
    loci: Annotated[list[str], "the columns, in the order of the alleles", {"min_length": 1, "max_length": 62}]
    alleles: NotRequired[
        Annotated[
            list[Annotated[list[str], {"min_length": 2, "max_length": 2}]],
            "of each locus, where some cells name them; 0 and 1 where cells count copies, ? where there is no second",
        ]
    ]
    haplotypes: Annotated[list[OneHaplotype], "those there are; of others it is 0", {"min_length": 1}]
    reading: NotRequired[Annotated[dict[str, object], "how the data were read, where it was not by the defaults"]]


class HaplotypeParams(HaplotypeFields, FoundFields):
    """Haplotypes of genotypes: params.json, and what em fit --latent pairs --json prints."""

    n_haplotypes: Annotated[int, "that have a frequency above 0"]
    n_possible: Annotated[int, "that some genotype may hold"]
    n_individuals: Annotated[float, "by their weights; those without any genotype are not among them"]
    n_genotypes: Annotated[int, "that differ"]
    log_likelihood: Annotated[float, "of the genotypes, natural logarithm, at these frequencies"]
    log_likelihood_equilibrium: Annotated[float, "the same were the loci independent of each other"]
    search: Annotated[SearchFields, "how the fit was found"]
