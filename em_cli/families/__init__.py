"""Component distributions."""

from em_cli.engine.family import Family
from em_cli.registry import Registry

FAMILIES = Registry[Family](
    "family",
    bernoulli="em_cli.families.distributions.bernoulli:Bernoulli",
    beta="em_cli.families.distributions.beta:Beta",
    binomial="em_cli.families.distributions.binomial:Binomial",
    categorical="em_cli.families.distributions.categorical:Categorical",
    exponential="em_cli.families.distributions.exponential:Exponential",
    factor_analyzers="em_cli.families.factor_analyzers.options:FactorAnalyzers",
    gamma="em_cli.families.distributions.gamma:Gamma",
    gaussian="em_cli.families.gaussian.options:Gaussian",
    lognormal="em_cli.families.distributions.lognormal:Lognormal",
    multinomial="em_cli.families.distributions.multinomial:Multinomial",
    negative_binomial="em_cli.families.distributions.negative_binomial:NegativeBinomial",
    poisson="em_cli.families.distributions.poisson:Poisson",
    ppca="em_cli.families.factor_analyzers.ppca:Ppca",
    product="em_cli.families.product:Product",
    student_t="em_cli.families.student_t.options:StudentT",
    von_mises="em_cli.families.distributions.von_mises:VonMises",
    weibull="em_cli.families.distributions.weibull:Weibull",
    zero_inflated_poisson="em_cli.families.distributions.zero_inflated_poisson:ZeroInflatedPoisson",
)
