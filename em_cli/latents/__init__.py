"""Latent structures: the joint law of the labels."""

from em_cli.engine.latent import Latent
from em_cli.registry import Registry

LATENTS = Registry[Latent](
    "latent",
    independent="em_cli.latents.independent:Independent",
    noise="em_cli.latents.noise:Noise",
    concomitant="em_cli.latents.concomitant:Concomitant",
    grouped="em_cli.latents.grouped:Grouped",
    markov="em_cli.latents.markov:Markov",
    topics="em_cli.latents.allocation.allocation:Allocation",
    pairs="em_cli.latents.haplotypes.haplotype_pairs:Pairs",
)
