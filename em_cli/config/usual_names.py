"""Families by the names that people bring from other programs and books."""

from em_cli.families import FAMILIES

OTHER_NAMES = {
    "normal": "gaussian",
    "gauss": "gaussian",
    "gmm": "gaussian",
    "mvn": "gaussian",
    "multivariate_normal": "gaussian",
    "mclust": "gaussian",
    "t": "student_t",
    "student": "student_t",
    "mvt": "student_t",
    "tmm": "student_t",
    "multivariate_t": "student_t",
    "lca": "categorical",
    "latent_class": "categorical",
    "binary": "bernoulli",
    "nb": "negative_binomial",
    "negbin": "negative_binomial",
    "zip": "zero_inflated_poisson",
    "log_normal": "lognormal",
    "exp": "exponential",
    "expon": "exponential",
    "vonmises": "von_mises",
    "mfa": "factor_analyzers",
    "factor_analysers": "factor_analyzers",
    "mppca": "ppca",
}  # by which people know them

MEANT = {
    "lpa": "gaussian --covariance diag",
    "latent_profile": "gaussian --covariance diag",
    "kmeans": "gaussian --covariance EII",
    "k_means": "gaussian --covariance EII",
    "hmm": "auto --latent markov",
    "gaussian_hmm": "gaussian --latent markov",
}  # models that are a family with something else chosen


def usual_name(name: str) -> str:
    """The name of a family here, whatever people call it; `ValueError` if what is meant takes another option too."""
    plain = name.strip().lower().replace("-", "_")
    if plain in FAMILIES or plain == "auto":
        return plain
    if plain not in (*MEANT, *OTHER_NAMES) or FAMILIES.knows(name):  # which a package may have added
        return name
    if plain in MEANT:
        raise ValueError(f"{name} is --family {MEANT[plain]} here")
    return OTHER_NAMES[plain]
