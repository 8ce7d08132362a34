"""What the `params.json` of haplotypes must hold."""

from __future__ import annotations

from em_cli.documents import haplotypes_json as haplotypes
from em_cli.documents.haplotypes_json import OFF_ONE
from em_cli.outputs.described import checked
from em_cli.sources.genotypes import alleles_of, coded


def _alleles(found: haplotypes.HaplotypeFields) -> str:
    names, loci, alleles = [one["haplotype"] for one in found["haplotypes"]], found["loci"], found["alleles"]
    if len(set(names)) < len(names):
        return "a haplotype stands there twice"
    if len(set(loci)) < len(loci):
        return "a locus stands there twice"
    if alleles and len(alleles) != len(loci):
        return "there must be two alleles for each locus"
    written = alleles_of(loci, alleles)
    if any(one == other or not one or not other for one, other in written):
        return "the two alleles of a locus must differ, and have names"
    if any(coded(name, written) is None for name in names):
        return f"a haplotype must be {len(loci)} alleles, one of those of each locus"
    if not abs(sum(one["frequency"] for one in found["haplotypes"]) - 1) <= OFF_ONE:
        return "the frequencies must sum to one"
    return ""


HaplotypeFields = checked(haplotypes.HaplotypeFields, {(haplotypes.HaplotypeFields, ""): _alleles})
HaplotypeParams = checked(haplotypes.HaplotypeParams)
