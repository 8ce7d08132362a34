"""Pairs of haplotypes as they are asked for: what goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from em_cli.errors import UsageError
from em_cli.models.unsuited import Unsuited, refuse_unsuited

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig

PAIRS = "pairs"  # the name of the latent structure
FITTING = ("em", "squarem")
_LOCI = "columns are loci, and cells copies of an allele; --columns or --exclude tell which of them."
_ALONE = "individuals are drawn independently, two haplotypes each."
_FREE = "the frequencies of haplotypes are free."

_REFUSED: tuple[Unsuited, ...] = (
    ("-k", lambda c: c.k is not None, "which haplotypes there are follows from the genotypes: leave it out."),
    ("--labels", lambda c: c.data.labels, "individuals have two haplotypes, and no component."),
    ("--type", lambda c: c.data.types, _LOCI),
    ("--transform", lambda c: c.data.transforms, _LOCI),
    ("--sequence", lambda c: c.data.sequence, _ALONE),
    ("--order", lambda c: c.data.order, _ALONE),
    ("--step", lambda c: c.data.step, _ALONE),
    ("--group", lambda c: c.data.group, _ALONE),
    ("--weight-type", lambda c: c.data.weight_type == "sampling", "weights count individuals."),
    ("--family", lambda c: c.family != "auto", _FREE),
    ("family_options", lambda c: c.family_options, _FREE),
    ("groups", lambda c: c.groups, _LOCI),
    ("--covariance", lambda c: c.covariance, _FREE),
    ("--prior", lambda c: c.prior.name != "none" or c.prior.hyperparameters, "they are fitted by maximum likelihood."),
    ("--inference", lambda c: c.inference != "ml", "they are fitted by maximum likelihood."),
    ("--response", lambda c: c.regression, _LOCI),
    ("--concomitant", lambda c: c.concomitant, _ALONE),
    ("--se", lambda c: c.standard_errors in ("observed", "robust"), "frequencies at 0 have none by the information."),
    ("--other-families", lambda c: c.search.other_families, _FREE),
    ("--algorithm", lambda c: c.search.algorithm.name not in FITTING, "--algorithm squarem or em counts genes."),
    ("--start", lambda c: c.search.start.name != "auto", "it begins from frequencies, even ones and random ones."),
    ("--match", lambda c: c.match, "haplotypes are known by their alleles."),
    ("--names", lambda c: c.names, "haplotypes are known by their alleles."),
    ("--runner", lambda c: c.runner.name == "dask", "there is nothing to share out."),
    ("--cache", lambda c: c.cache, "there is little to read."),
)  # what does not go with pairs: what to ask of the configuration, and what can be had


def wanted_pairs(config: RunConfig) -> bool:
    """Whether haplotypes are to be fitted; `UsageError` for what does not go with them."""
    from em_cli.config.choices import latent_choices

    names = [choice.name for choice in latent_choices(config)]
    if PAIRS not in names:
        return False
    if len(names) > 1:
        raise UsageError("--latent pairs is of haplotypes, and cannot be compared with mixtures: name it alone.")
    refuse_unsuited(config, PAIRS, _REFUSED)
    return True
