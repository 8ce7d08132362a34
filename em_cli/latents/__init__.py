"""Latent structures: the joint law of the labels."""

from em_cli.registry import Registry

LATENTS = Registry(
    "latent",
    independent="em_cli.latents.independent:Independent",
    noise="em_cli.latents.noise:Noise",
)
