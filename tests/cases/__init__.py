"""What the laws are run on: for every registered family a maker of cases.

A new family enters by a line in `CASE_MAKERS`. Its cases say of which kinds its columns are, how
to build it for such columns, and what an independent program (scipy.stats) says of its density.
Then every law runs on it.
"""

from __future__ import annotations

from collections.abc import Callable

from support import Case

from cases.categories import bernoulli_cases, categorical_cases
from cases.continuous import (
    beta_cases,
    exponential_cases,
    gamma_cases,
    lognormal_cases,
    von_mises_cases,
    weibull_cases,
    zero_inflated_gamma_cases,
    zero_inflated_gaussian_cases,
    zero_inflated_lognormal_cases,
)
from cases.counts import (
    binomial_cases,
    multinomial_cases,
    negative_binomial_cases,
    poisson_cases,
    zero_inflated_poisson_cases,
)
from cases.factors import factor_cases
from cases.gaussian import gaussian_cases, structures
from cases.products import product_cases
from cases.regressions import regression_cases
from cases.student_t import student_t_cases
from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.families.factor_analyzers.options import FactorAnalyzers
from em_cli.families.factor_analyzers.ppca import Ppca

CASE_MAKERS: dict[str, Callable[[], list[Case]]] = {
    "bernoulli": bernoulli_cases,
    "beta": beta_cases,
    "binomial": binomial_cases,
    "categorical": categorical_cases,
    "exponential": exponential_cases,
    "factor_analyzers": lambda: factor_cases("factor_analyzers", True, lambda kinds: FactorAnalyzers(1)),
    "gamma": gamma_cases,
    "gaussian": gaussian_cases,
    "lognormal": lognormal_cases,
    "multinomial": multinomial_cases,
    "negative_binomial": negative_binomial_cases,
    "poisson": poisson_cases,
    "ppca": lambda: factor_cases("ppca", False, lambda kinds: Ppca(min(2, len(kinds)))),
    "product": product_cases,
    "regression": regression_cases,
    "student_t": student_t_cases,
    "von_mises": von_mises_cases,
    "weibull": weibull_cases,
    "zero_inflated_gamma": zero_inflated_gamma_cases,
    "zero_inflated_gaussian": zero_inflated_gaussian_cases,
    "zero_inflated_lognormal": zero_inflated_lognormal_cases,
    "zero_inflated_poisson": zero_inflated_poisson_cases,
}


CLIMBED = [*COVARIANCES.aliases, "EEI", "VEE", "EVE"]  # that laws of whole climbs and searches are tried on


CASES = [case for name in FAMILIES if name in CASE_MAKERS for case in CASE_MAKERS[name]()]


SPARED = {
    *(f"gaussian-{name}" for name in set(structures()) - set(CLIMBED)),
    *(
        "binomial",
        "binomial-pairs",
        "lognormal",
        "ppca",
        "regression-poisson-common",
        "zero_inflated_gamma",
        "student_t-tied-free",
        "student_t-spherical-40",
    ),
}  # much like others


INCOMPLETE = {
    f"{name}-gaps" for name in ("factor_analyzers", "gaussian-full", "gaussian-diag", "poisson", "categorical", "gamma")
}


CLIMBING_CASES = [c for c in CASES if c.name in INCOMPLETE or not (c.name.endswith("-gaps") or c.name in SPARED)]
