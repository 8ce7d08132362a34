"""Component distributions."""

from em_cli.registry import Registry

FAMILIES = Registry(
    "family",
    bernoulli="em_cli.families.distributions.bernoulli:bernoulli",
    categorical="em_cli.families.distributions.categorical:categorical",
    exponential="em_cli.families.distributions.exponential:exponential",
    gaussian="em_cli.families.gaussian:Gaussian",
    poisson="em_cli.families.distributions.poisson:poisson",
    product="em_cli.families.product:Product",
    student_t="em_cli.families.student_t:StudentT",
)
