"""Component distributions."""

from em_cli.registry import Registry

FAMILIES = Registry(
    "family",
    gaussian="em_cli.families.gaussian:Gaussian",
    poisson="em_cli.families.poisson:Poisson",
    product="em_cli.families.product:Product",
)
