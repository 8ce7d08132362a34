"""Haplotypes from genotypes of unknown phase (Excoffier & Slatkin 1995)."""
