"""Criteria for choosing among fits; the smallest value wins."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, nan

from em_cli.registry import Registry

ELBO = "elbo"  # the criterion of variational fits, which others have not
CROSS_VALIDATION = "cv"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a criterion needs to know of a fit; logarithms are natural."""

    log_likelihood: float  # total
    n_parameters: int
    n_rows: float  # rows used, or the sum of their weights
    entropy: float  # of the responsibilities, total
    log_largest: float  # sum over rows of the log of the largest responsibility
    elbo: float | None = None  # evidence lower bound of a variational fit
    left_out: float = nan  # log predictive density of rows that took no part in the fit, total


def bic(fit: Figures) -> float:
    """Schwarz (1978). mclust prints its negative."""
    return bic_of(fit.log_likelihood, fit.n_parameters, fit.n_rows)


def bic_of(log_likelihood: float, n_parameters: int, n_rows: float) -> float:
    """The same, of which no more need be known."""
    return -2 * log_likelihood + n_parameters * log(n_rows)


def aic(fit: Figures) -> float:
    """Akaike (1974)."""
    return -2 * fit.log_likelihood + 2 * fit.n_parameters


def aicc(fit: Figures) -> float:
    """Hurvich & Tsai (1989); infinite where there are too few rows for it."""
    p, n = fit.n_parameters, fit.n_rows
    return aic(fit) + 2 * p * (p + 1) / (n - p - 1) if n > p + 1 else float("inf")


def caic(fit: Figures) -> float:
    """Bozdogan (1987)."""
    return bic(fit) + fit.n_parameters


def sabic(fit: Figures) -> float:
    """Sclove (1987): BIC with (n + 2)/24 for n."""
    return -2 * fit.log_likelihood + fit.n_parameters * log((fit.n_rows + 2) / 24)


def icl(fit: Figures) -> float:
    """Biernacki, Celeux & Govaert (2000), each row counted in its likeliest component, as in mclust."""
    return bic(fit) - 2 * fit.log_largest


def icl_entropy(fit: Figures) -> float:
    """The same with the entropy of the responsibilities."""
    return bic(fit) + 2 * fit.entropy


def elbo(fit: Figures) -> float:
    """-2 times the evidence lower bound (Corduneanu & Bishop 2001), on the scale of BIC; infinite if there is none."""
    return float("inf") if fit.elbo is None else -2 * fit.elbo


def cv(fit: Figures) -> float:
    """Cross-validation (Stone 1974): −2 times the log predictive density of rows left out; on the scale of AIC."""
    return -2 * fit.left_out


CRITERIA: Registry[float] = Registry(
    "criterion",
    bic="em_cli.criteria:bic",
    aic="em_cli.criteria:aic",
    icl="em_cli.criteria:icl",
    aicc="em_cli.criteria:aicc",
    caic="em_cli.criteria:caic",
    sabic="em_cli.criteria:sabic",
    icl_entropy="em_cli.criteria:icl_entropy",
    elbo="em_cli.criteria:elbo",
    cv="em_cli.criteria:cv",
)


def names(chosen: str = "bic") -> tuple[str, ...]:
    """The criteria that are told of every fit, and the chosen one: one that few fits have, or a third party's."""
    return tuple(dict.fromkeys((*(name for name in CRITERIA if name not in (ELBO, CROSS_VALIDATION)), chosen)))


def values(fit: Figures, chosen: str = "bic") -> dict[str, float]:
    """Of those criteria, by name."""
    return {name: CRITERIA.make(name, fit) for name in names(chosen)}
