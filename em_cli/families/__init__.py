"""Component distributions; the first that describes a type of column does so unless the user says otherwise."""

from em_cli.engine.family import Family
from em_cli.registry import Registry

FAMILIES = Registry[Family](
    "family",
    gaussian="em_cli.families.gaussian.options:Gaussian",
    gamma="em_cli.families.distributions.gamma:Gamma",
    beta="em_cli.families.distributions.beta:Beta",
    von_mises="em_cli.families.distributions.von_mises:VonMises",
    poisson="em_cli.families.distributions.poisson:Poisson",
    bernoulli="em_cli.families.distributions.bernoulli:Bernoulli",
    categorical="em_cli.families.distributions.categorical:Categorical",
    binomial="em_cli.families.distributions.binomial:Binomial",
    exponential="em_cli.families.distributions.exponential:Exponential",
    factor_analyzers="em_cli.families.factor_analyzers.options:FactorAnalyzers",
    lognormal="em_cli.families.distributions.lognormal:Lognormal",
    multinomial="em_cli.families.distributions.multinomial:Multinomial",
    negative_binomial="em_cli.families.distributions.negative_binomial:NegativeBinomial",
    ppca="em_cli.families.factor_analyzers.ppca:Ppca",
    product="em_cli.families.product:Product",
    regression="em_cli.families.regression.options:Regression",
    student_t="em_cli.families.student_t.options:StudentT",
    weibull="em_cli.families.distributions.weibull:Weibull",
    zero_inflated_gamma="em_cli.families.distributions.zero_inflated_gamma:ZeroInflatedGamma",
    zero_inflated_gaussian="em_cli.families.distributions.zero_inflated_gaussian:ZeroInflatedGaussian",
    zero_inflated_lognormal="em_cli.families.distributions.zero_inflated_lognormal:ZeroInflatedLognormal",
    zero_inflated_poisson="em_cli.families.distributions.zero_inflated_poisson:ZeroInflatedPoisson",
)
