"""What follows from the algorithm that was asked for: plain climbs or a search, and what can be said of their ends."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.ending import NONE
from em_cli.config.choice import AUTO, Choice
from em_cli.config.choices import latent_choices
from em_cli.config.run_config import RunConfig
from em_cli.criteria import CROSS_VALIDATION, ELBO
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import NATS, USUAL_TOLERANCES
from em_cli.errors import UsageError
from em_cli.models.specification import SEARCH, families_of, names_components
from em_cli.models.topics import TOPICS
from em_cli.models.variational import VARIATIONAL
from em_cli.parts import build
from em_cli.sources.spool import STDIN
from em_cli.starts import STARTS

EM = "em"  # the algorithm of variational fits
ONLINE = "online"  # that of rows without an end
CLIMBS = 24  # starts, instead of a search
AT_LABELS = "icl"  # the criterion of fits that are no maxima of the likelihood, unless another is asked for


def algorithm_of(config: RunConfig) -> Algorithm:
    """The one asked for, with its options."""
    return build(ALGORITHMS, config.search.algorithm.name, config.search.algorithm.options)


def as_variational(config: RunConfig) -> RunConfig:
    """Variational fits climb by EM, and are compared by their lower bounds of the evidence unless told otherwise."""
    topics = TOPICS in [choice.name for choice in latent_choices(config)]
    if config.inference != VARIATIONAL:
        if config.criterion == ELBO and not topics:
            raise UsageError(
                "--criterion elbo compares variational fits: add --inference variational, or leave it out."
            )
        return config
    if "algorithm" in config.search.model_fields_set and config.search.algorithm.name != EM:
        raise UsageError(
            f"--inference variational climbs by {EM}, not by {config.search.algorithm.name}: leave --algorithm out."
        )
    if "criterion" in config.model_fields_set and config.criterion != ELBO:
        raise UsageError(
            f"--criterion {config.criterion} is about maxima of the likelihood, and a variational fit is none: "
            "--criterion elbo compares the bounds of the evidence, which is what it does unless told otherwise."
        )
    search = config.search.model_copy(update={"algorithm": Choice(name=EM)})
    return config.model_copy(update={"search": search, "criterion": ELBO})


def is_endless(config: RunConfig) -> bool:
    """Whether rows of standard input are to be taken as they come, and nothing climbs on at their end."""
    chosen, topics = config.search.algorithm, TOPICS in [choice.name for choice in latent_choices(config)]
    return config.data.path == [STDIN] and chosen.name == ONLINE and chosen.options.get("finish") == NONE and not topics


def as_endless(config: RunConfig) -> RunConfig:
    """Online EM takes standard input as it comes, unless it is said what climbs on; then all rows are read before."""
    chosen = config.search.algorithm
    if config.data.path != [STDIN] or chosen.name != ONLINE or chosen.options.get("finish", NONE) != NONE:
        return config
    search = config.search.model_copy(update={"algorithm": Choice(name=ONLINE, **(chosen.options | {"finish": NONE}))})
    written = {} if "responsibilities" in config.model_fields_set else {"responsibilities": False}
    missing = {} if "missing" in config.data.model_fields_set else {"missing": "drop"}
    data = config.data.model_copy(update=missing)
    return config.model_copy(update={"data": data, "search": search, **written})


def with_climbs(config: RunConfig) -> RunConfig:
    """Climbs from many starts, where a search has no moves to make.

    Components that are named by labels, fixed means or transitions cannot be moved about; and what a move is worth
    to an algorithm of another kind is not known.
    """
    algorithm, search = algorithm_of(config), config.search
    if algorithm.objective != LOG_LIKELIHOOD and "criterion" not in config.model_fields_set:
        config = config.model_copy(update={"criterion": AT_LABELS})
    if search.stop != NATS and "tol" not in search.model_fields_set:
        search = search.model_copy(update={"tol": USUAL_TOLERANCES[search.stop]})
        config = config.model_copy(update={"search": search})
    given = search.start.name != AUTO and not STARTS.knows(search.start.name)
    if search.restarts != AUTO or given or not (_names_components(config) or algorithm.from_starts):
        return config
    return config.model_copy(update={"search": search.model_copy(update={"restarts": CLIMBS})})


def _names_components(config: RunConfig) -> bool:
    of_families: list[Mapping[str, object]] = [config.family_options, *(g.model_extra or {} for g in config.groups)]
    return config.data.labels is not None or any("means" in own for own in of_families) or names_components(config)


def check_objective(config: RunConfig) -> None:
    """`UsageError` if something is asked for that is about maxima of the likelihood, and there will be none."""
    name = config.search.algorithm.name
    if algorithm_of(config).objective == LOG_LIKELIHOOD:
        return
    instead = "leave it out, or take --algorithm lbfgs."
    if config.standard_errors in ("observed", "robust"):
        raise UsageError(
            f"--se {config.standard_errors} is about maxima of the likelihood, and --algorithm {name} ends elsewhere: "
            f"{instead}"
        )
    if config.criterion == CROSS_VALIDATION:
        raise UsageError(f"--criterion cv fits by the likelihood, which --algorithm {name} does not: {instead}")
    if config.search.other_families or SEARCH in families_of(config):
        asked = "--other-families" if config.search.other_families else "--family search"
        raise UsageError(f"{asked} compares by BIC, which --algorithm {name} does not lower: {instead}")
