"""Component distributions."""

from em_cli.engine.family import Family
from em_cli.registry import Registry

FAMILIES = Registry[Family](
    "family",
    bernoulli="em_cli.families.distributions.bernoulli:bernoulli",
    beta="em_cli.families.distributions.beta:beta",
    binomial="em_cli.families.distributions.binomial:binomial",
    categorical="em_cli.families.distributions.categorical:categorical",
    exponential="em_cli.families.distributions.exponential:exponential",
    factor_analyzers="em_cli.families.factor_analyzers.options:FactorAnalyzers",
    gamma="em_cli.families.distributions.gamma:gamma",
    gaussian="em_cli.families.gaussian.options:Gaussian",
    lognormal="em_cli.families.distributions.lognormal:lognormal",
    multinomial="em_cli.families.distributions.multinomial:multinomial",
    negative_binomial="em_cli.families.distributions.negative_binomial:negative_binomial",
    poisson="em_cli.families.distributions.poisson:poisson",
    ppca="em_cli.families.factor_analyzers.ppca:Ppca",
    product="em_cli.families.product:Product",
    student_t="em_cli.families.student_t.options:StudentT",
    von_mises="em_cli.families.distributions.von_mises:von_mises",
    weibull="em_cli.families.distributions.weibull:weibull",
    zero_inflated_poisson="em_cli.families.distributions.zero_inflated_poisson:zero_inflated_poisson",
)
