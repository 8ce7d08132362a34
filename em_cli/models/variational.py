"""Models whose parameters are approximate posteriors: their families and mixing weights under conjugate priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from em_cli.config.prior_config import FORMS
from em_cli.engine.family import BoundFamily
from em_cli.engine.hyperparameters import law_in
from em_cli.engine.latent import Latent
from em_cli.errors import UsageError
from em_cli.latents.independent import Independent

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.families.variational.approximate import Conjugate
    from em_cli.latents.approximate_weights import ApproximateWeights, WeightsPrior

MAP, VARIATIONAL = "map", "variational"
PENALTIES = ("means", "precisions")  # L1 norms
OF_LABELS = {"weights", "transitions"}  # whose priors are not of a family
ABLE = "gaussian (full, tied, diag or spherical), poisson, exponential, bernoulli and categorical"


def hyperparameters_of(config: RunConfig) -> Mapping[str, object] | None:
    """Those of the priors that are said; None unless variational Bayes is asked for. `UsageError` if it cannot be."""
    said = config.prior.hyperparameters
    if config.inference == MAP:
        return _of_mode(said, config)
    if config.inference != VARIATIONAL:
        if said:
            raise UsageError(
                f"prior.{next(iter(said))} is about posteriors: add --inference map, for parameters at the mode of "
                "theirs, or --inference variational."
            )
        return None
    if modal := [key for key in (*PENALTIES, "transitions") if key in said]:
        raise UsageError(f"prior.{modal[0]} has no approximate posterior here: it goes with --inference map.")
    if config.prior.name == "weak":
        raise UsageError(
            "--prior weak is a penalty of the likelihood: --inference variational has conjugate priors, whose "
            "hyperparameters are set as in --set prior.weights=dirichlet:0.1."
        )
    if config.search.other_families or config.family == "search":
        which = "--other-families" if config.search.other_families else "--family search"
        raise UsageError(
            f"{which} compares families by BIC, which a variational fit has not: name the families instead, and let "
            "em select compare them by --criterion elbo."
        )
    if config.standard_errors in ("observed", "robust"):
        raise UsageError(
            f"--se {config.standard_errors} is about a maximum of the likelihood: --inference variational tells "
            "intervals of the posterior instead. Leave --se out."
        )
    return said


def _of_mode(said: Mapping[str, object], config: RunConfig) -> Mapping[str, object] | None:
    """Those of a fit at the mode of the posterior; None where a weak prior is all there is."""
    weak = config.prior.name == "weak"
    if not said and not weak:
        raise UsageError(
            "--inference map needs a prior: --prior weak, or hyperparameters such as --set prior.weights=dirichlet:2."
        )
    if weak and said:
        raise UsageError(f"--prior weak and prior.{next(iter(said))} are two priors: leave one of them out.")
    for key in (key for key in said if key not in PENALTIES and key in FORMS):
        name, numbers = law_in(said, key)
        if name == "process":
            raise UsageError("prior.weights=process has no mode among weights of components: dirichlet has.")
        if not numbers or min(numbers[: 1 if key == "rates" else 2]) < 1:
            raise UsageError(
                f"prior.{key}: name its first number, which must be at least 1 for a posterior to have a mode, as in "
                f"prior.{key}={name}:2."
            )
    if unsaid := [key for key in PENALTIES if key in said and not law_in(said, key)[1]]:
        raise UsageError(f"prior.{unsaid[0]}: name the strength of the penalty, as in prior.{unsaid[0]}=laplace:5.")
    return said or None


def at_mode(family: BoundFamily, latent: Latent, name: str, prior: Mapping[str, object]) -> tuple[BoundFamily, Latent]:
    """The family and the law of the labels whose parameters are at the mode of their posterior."""
    if "weights" in prior:
        if not isinstance(latent, Independent) or latent.weights != "free":
            raise UsageError(
                "prior.weights goes with independent labels whose mixing weights are free: leave --latent, --noise and "
                "mixing_weights out."
            )
        latent = replace(latent, concentration=law_in(prior, "weights")[1][0])
    if "transitions" in prior:
        from em_cli.latents.markov import Markov

        if not isinstance(latent, Markov) or latent.initial == "stationary":
            raise UsageError("prior.transitions goes with --latent markov, and not with latent.initial=stationary.")
        off, *on = law_in(prior, "transitions")[1]
        latent = replace(latent, concentration=(off, on[0] if on else off))
    own = {key: value for key, value in prior.items() if key not in OF_LABELS}
    return (_conjugate(family, name, own).at_mode(own) if own else family), latent


def _conjugate(family: BoundFamily, name: str, prior: Mapping[str, object]) -> Conjugate:
    """`UsageError` if it has no conjugate prior, or not such a one."""
    from em_cli.families.variational.conjugate_families import conjugate_of

    conjugate = conjugate_of(family)
    if conjugate is None:
        raise UsageError(
            f"conjugate priors do not apply: family {name!r} as it is asked for has no conjugate prior. "
            f"Those that have are {ABLE}, alone or together."
        )
    unknown = sorted(prior.keys() - conjugate.hyperparameters - OF_LABELS)
    if unknown:
        raise UsageError(
            f"prior.{unknown[0]} does not apply: no column is of a family with such a prior. Leave it out; here there "
            f"are {', '.join(f'prior.{key}' for key in ['weights', *sorted(conjugate.hyperparameters)])}."
        )
    return conjugate


def approximated(
    family: BoundFamily, latent: Latent, name: str, prior: Mapping[str, object]
) -> tuple[BoundFamily, ApproximateWeights]:
    """The family and the law of the labels under these priors; `UsageError` if they have no conjugate ones."""
    if not isinstance(latent, Independent) or latent.weights != "free":
        raise UsageError(
            "--inference variational goes with independent labels whose mixing weights are free: leave --latent, "
            "--noise, --group, --concomitant and mixing_weights out."
        )
    from em_cli.latents.approximate_weights import ApproximateWeights

    conjugate = _conjugate(family, name, prior)
    return conjugate.approximated(prior), ApproximateWeights(_weights_prior(prior))


def _weights_prior(prior: Mapping[str, object]) -> WeightsPrior:
    from em_cli.latents.weights_priors import DirichletWeights, StickBreaking

    name, numbers = law_in(prior, "weights")
    concentration = numbers[0] if numbers else None
    return StickBreaking(concentration) if name == "process" else DirichletWeights(concentration)
