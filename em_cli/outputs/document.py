"""The model document, `params.json`: a fit in the user's units, in the names of the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy as np

from em_cli import __version__
from em_cli.criteria import Figures, aic, bic, icl, names
from em_cli.documents.found import WarningFields
from em_cli.documents.known import known_as
from em_cli.documents.params_json import Params
from em_cli.engine.arrays import Flags, stack
from em_cli.engine.assignment import HARD
from em_cli.engine.climb import FitResult
from em_cli.engine.column_moments import Moments
from em_cli.engine.documents import field
from em_cli.engine.objectives import ELBO, LOG_LIKELIHOOD
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source, checked_groups
from em_cli.engine.scoring import Totals, score_source
from em_cli.families.variational.held import has_held, n_held
from em_cli.models.groups import REGRESSION, Group, family_name
from em_cli.models.variational import VARIATIONAL
from em_cli.outputs.components import components
from em_cli.outputs.model_file import FORMAT, SCHEMA_VERSION, LoadedModel, model_of
from em_cli.outputs.naming import Naming, Previous, plain
from em_cli.outputs.posterior_intervals import with_intervals
from em_cli.outputs.search_found import ended, search_found
from em_cli.search.ledger import Degeneracies, Fitted
from em_cli.sources.schema import Column, Schema
from em_cli.sources.views import relabelled

ABOUT_LABELS = ("icl",)  # criteria
CONJUGATE, LAPLACE = "conjugate", "laplace"  # priors under which refits are not made
EMPTY = 0.5  # rows; a component that bears fewer is as the prior has it


@dataclass(frozen=True, slots=True)
class Context:
    """What the document says of the run beside the fit."""

    schema: Schema
    groups: tuple[Group, ...]
    latent: str
    seed: int
    start: str
    effort: str | None  # of the search; None if climbs from so many starts, or from a given one, were asked for
    tol: float
    max_iter: int
    criterion: str  # that was asked for; of fits that are no maxima of the likelihood, the others say nothing
    cut_by: str  # what ended the climbs that were ended early
    n_rows_read: int
    n_samples: int  # rows fitted
    missing: str
    n_missing: Mapping[str, int]
    spelled: Mapping[str, Mapping[str, int]]  # missing cells by spelling, of every column
    weights_name: str | None
    label_names: tuple[str, ...]
    weight_type: str
    reading: Mapping[str, Any]  # what was said of how to read the data, and which column was the id
    data_sha256: str
    config_sha256: str
    previous: Previous | None = None  # whose components those of the fit are
    names: tuple[str, ...] = ()  # of the components, if they are given
    steps: Mapping[str, Any] | None = None  # what is said of sequences, where rows follow each other

    @property
    def family(self) -> str:
        return family_name(self.groups)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A fit as it is written: its parameters as read back from the document, and the totals at exactly these."""

    fitted: Fitted
    parameters: dict[str, Any]
    loaded: LoadedModel
    totals: Totals
    figures: Figures
    degeneracies: Degeneracies
    log_prior: float
    source: Source  # the rows fitted; labels are in the order of the components
    naming: Naming  # of the components


def scored(fitted: Fitted, context: Context, source: Source, runner: Runner) -> Scored:
    """Order the components by decreasing weight, then mean; write them as a document does; score that."""
    assert fitted.chosen is not None, "there is a fit to score"
    model = fitted.chosen.candidate.model
    found = model.settled(fitted.chosen.parameters, fitted.chosen.weight)
    means, _ = model.family.moments(found.components)
    weights = np.round(field(model.to_document(found), "weights"), 9)  # equal ones may differ by rounding
    order = np.lexsort((*means.T[::-1], -weights)) if model.latent.exchangeable else np.arange(len(weights))
    naming = plain(order, context.label_names)
    if context.previous is not None:
        naming = context.previous.naming(model, found, context.schema, source, order)
        order = naming.order
    elif context.names:
        naming = Naming(order, context.names)
    source = relabelled(source, np.append(np.argsort(order), -1))
    parameters = _described(_identity(context, fitted), model.to_document(model.renumbered(found, order)))
    loaded = model_of(known_as(Params, parameters | {"n_missing": context.n_missing}), _gaps(context, source))
    totals = score_source(loaded.model, loaded.parameters, source, runner)
    figures = Figures(
        float(totals.log_likelihood),
        model.n_parameters - n_held(parameters),
        _n_for_bic(totals, context, source),
        float(totals.entropy),
        float(totals.log_largest),
        fitted.chosen.log_likelihood if model.is_variational else None,
    )
    degeneracies = tuple(fitted.degeneracies[k] for k in order)
    log_prior = float(np.sum(model.log_prior(stack([found]))))
    return Scored(fitted, parameters, loaded, totals, figures, degeneracies, log_prior, source, naming)


def _gaps(context: Context, source: Source) -> Flags | None:
    """The columns in which cells are missing, those of steps without a row included; None if there are no steps."""
    if context.steps is None:
        return None
    gaps = np.zeros(source.n_columns, np.bool_)
    for index in range(len(source)):
        gaps |= np.isnan(source[index].x).any(axis=1)
    return gaps


def _n_for_bic(totals: Totals, context: Context, source: Source) -> float:
    """The weight of the rows; steps in time of which nothing was seen are none."""
    if context.steps is None:
        return float(totals.n_effective.sum()) if context.weights_name else source.n_rows
    if "n_groups" in context.steps:
        blocks = [source[index] for index in range(len(source))]
        of_groups = [b.weights[checked_groups(b)[:-1]] for b in blocks if b.weights is not None]
        return float(np.concatenate(of_groups).sum()) if of_groups else int(context.steps["n_groups"])
    n = 0.0
    for block in (source[index] for index in range(len(source))):
        seen = ~np.isnan(block.x).all(axis=0)
        n += float(seen.sum() if block.weights is None else block.weights[seen].sum())
    return n if context.weights_name else int(n)


def document(
    result: Scored, context: Context, warnings: list[WarningFields], errors: Mapping[str, Any], scores: Moments
) -> Params:
    """The whole document. It holds no time, host or path: identical runs give identical bytes."""
    fitted, figures, chosen = result.fitted, result.figures, result.fitted.chosen
    assert chosen is not None, "there is a fit to write"
    told = meaningful(chosen, context.criterion)
    model, n_assigned = result.loaded.model, result.totals.n_assigned.tolist()
    extra = zip(model.latent.extra, n_assigned[model.n_components :], strict=True)
    made: dict[str, object] = (
        result.parameters
        | {f"{name}_n_assigned": n for name, n in extra}
        | {
            "components": with_intervals(
                components(result.loaded, result.totals, result.degeneracies, result.naming), result.loaded
            ),
            **_sometimes(result, context),
            "standard_errors": dict(errors),
            "row_scores": _row_scores(scores),
            "log_likelihood": figures.log_likelihood,
            **_of_prior(result),
            "lower_bound": (figures.log_likelihood if figures.elbo is None else figures.elbo) / figures.n_rows,
            "n_parameters": figures.n_parameters,
            **_of_objective(result, context),
            "bic": bic(figures) if "bic" in told else None,
            "aic": aic(figures) if "aic" in told else None,
            "icl": icl(figures) if "icl" in told else None,
            "icl_kind": "map",
            "bic_mclust": -bic(figures) if "bic" in told else None,
            "criterion_convention": "lower is better",
            **ended(chosen, context.cut_by),
            "tol": context.tol,
            "max_iter": context.max_iter,
            "floor": "resolution of the data" if result.parameters["structure"] else None,
            "floor_active": any(c is not None and c.at_resolution for c in result.degeneracies),
            "n_samples": context.n_samples,
            "n_rows_read": context.n_rows_read,
            "n_rows_dropped": context.n_rows_read - context.n_samples,
            "missing_policy": context.missing,
            "n_missing": dict(context.n_missing),
            "weight_column": context.weights_name,
            "weight_type": context.weight_type if context.weights_name else None,
            "sum_weights": float(figures.n_rows),
            "n_for_bic": figures.n_rows,
            **(context.steps if context.steps and result.loaded.sequential else {}),
            **({"certificate": fitted.certificate.words} if fitted.certificate else {}),
            "search": search_found(fitted, context.effort),
            "random_state": context.seed,
            "start": context.start,
            "data_sha256": context.data_sha256,
            "config_sha256": context.config_sha256,
            "warnings": warnings,
        }
    )
    return known_as(Params, made)


def _sometimes(result: Scored, context: Context) -> dict[str, Any]:
    """What is said of some fits only."""
    match = {"match": result.naming.about} if result.naming.about else {}
    spelled = {name: dict(own) for name, own in context.spelled.items()}
    return match | ({"missing_spelled": spelled} if spelled else {})


def meaningful(chosen: FitResult, criterion: str) -> tuple[str, ...]:
    """The criteria that say something of a fit; where it is no maximum of the likelihood, those about labels, and
    what was asked for."""
    if chosen.candidate.objective == LOG_LIKELIHOOD:
        return names(criterion)
    if chosen.candidate.objective == ELBO:
        return (criterion,)
    return tuple(dict.fromkeys([*ABOUT_LABELS, criterion]))


def prior_name(result: Scored) -> str:
    """As documents and tables have it."""
    if has_held(result.parameters):
        return LAPLACE
    weak = result.fitted.chosen is not None and result.fitted.chosen.candidate.model.prior
    return "weak" if weak else CONJUGATE if result.log_prior else "none"


def _of_prior(result: Scored) -> dict[str, object]:
    """The prior, and what it says of the parameters where these are points."""
    figures = result.figures
    if figures.elbo is not None:
        return {"prior": CONJUGATE, "log_prior": None, "penalised_log_likelihood": None}
    return {
        "prior": prior_name(result),
        "log_prior": result.log_prior,
        "penalised_log_likelihood": figures.log_likelihood + result.log_prior,
    }


def _of_objective(result: Scored, context: Context) -> dict[str, object]:
    """What was climbed instead of the log-likelihood, and its value at the parameters."""
    chosen, figures = result.fitted.chosen, result.figures
    assert chosen is not None, "there is a fit to write"
    objective = chosen.candidate.objective
    if objective == LOG_LIKELIHOOD:
        return {}
    told: dict[str, Any] = {"objective": objective}
    if figures.elbo is not None:
        bearing = result.totals.n_effective >= EMPTY
        told |= {"elbo": figures.elbo, "divergence": -result.log_prior, "effective_components": int(bearing.sum())}
    if objective == HARD.objective:
        classified = figures.log_likelihood + figures.log_largest
        told["classification_log_likelihood"] = classified
        told |= {"inertia": found} if (found := _inertia(result, context, classified)) is not None else {}
    return told


def _inertia(result: Scored, context: Context, classified: float) -> float | None:
    """The sum of squared distances to the nearest mean, where the classification log-likelihood is about it alone."""
    loaded, n, k = result.loaded, result.figures.n_rows, result.loaded.model.n_components
    columns, elliptic = loaded.schema.columns, loaded.model.family.elliptic
    equal = loaded.model.latent.is_bayes_alone and result.parameters.get("weights_fixed") == "equal"
    if elliptic is None or not equal or any(column.transform for column in columns) or any(context.n_missing.values()):
        return None
    found, *others = elliptic.ellipsoids(loaded.parameters.components)
    d, variance = len(columns), float(found.variances[0, 0])
    if others or found.dof is not None or len(found.columns) < d:
        return None
    if (found.among(np.arange(d)) != variance * np.eye(d)).any():
        return None
    return -2 * variance * (classified + n * log(k) + n * d / 2 * log(2 * pi * variance))


def _row_scores(scores: Moments) -> dict[str, object]:
    """What rows to come are compared with: log-density and responsibilities of those that were fitted."""
    means, sds = scores.mean.tolist(), scores.sd.tolist()
    return {
        "n": float(scores.weight[0]),
        "log_density_mean": means[0],
        "log_density_sd": sds[0],
        "share_mean": means[1:],
        "share_sd": sds[1:],
    }


def _identity(context: Context, fitted: Fitted) -> dict[str, object]:
    """What kind of model it is: enough, with the parameters, to build it again."""
    names = context.schema.names
    covariance = fitted.label or None
    return (
        {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "em_version": __version__,
            "family": context.family,
            "structure": mclust_name(covariance, context.groups),
            "covariance_type": covariance,
            "latent": context.latent,
            **({"inference": VARIATIONAL} if _is_variational(fitted) else {}),
            "n_components": fitted.n_components,
            "n_features_in": len(names),
            "feature_names_in": list(names),
            "columns": [_column(column) for column in context.schema.columns],
        }
        | _families(context, covariance)
        | ({"reading": dict(context.reading)} if context.reading else {})
    )


def _is_variational(fitted: Fitted) -> bool:
    return fitted.chosen is not None and fitted.chosen.candidate.model.is_variational


def _column(column: Column) -> dict[str, Any]:
    levels = {"levels": list(column.levels)} if column.levels else {}
    transform = {"transform": column.transform} if column.transform is not None else {}
    return {"name": column.name, "type": column.type} | levels | transform


def _families(context: Context, covariance: str | None) -> dict[str, object]:
    """The options of the family; of several, the groups of columns that they describe."""
    if len(context.groups) == 1:
        options = dict(context.groups[0].options)
        return ({"family_options": options} if options else {}) | _design(context.groups[0], context.schema)
    names = context.schema.names
    groups = []
    for group in context.groups:
        entry: dict[str, Any] = {"family": group.family, "columns": [names[place] for place in group.columns]}
        options = dict(group.options)
        if "covariance" in options or group.has_covariance:
            entry["covariance_type"] = options.pop("covariance", covariance)
        groups.append(entry | ({"family_options": options} if options else {}) | _design(group, context.schema))
    return {"groups": groups}


def _design(group: Group, schema: Schema) -> dict[str, Any]:
    """What the coefficients of a regression are of."""
    if group.family != REGRESSION:
        return {}
    from em_cli.families.regression.options import Regression

    family = group.build(schema, "")
    if not isinstance(family, Regression):
        return {}
    names, n_own = list(family.design.names), len(family.design.names) - family.design.n_common
    return {"design": names} | ({"common_design": names[n_own:]} if names[n_own:] else {})


def _described(identity: dict[str, Any], parameters: dict[str, Any]) -> dict[str, object]:
    """What a model is and its parameters, together, group by group."""
    if "groups" not in identity:
        return identity | parameters
    groups = [group | own for group, own in zip(identity["groups"], parameters["groups"], strict=True)]
    return identity | parameters | {"groups": groups}


def mclust_name(covariance: str | None, groups: Sequence[Group]) -> str | None:
    """mclust's letters for the structure; one letter in one dimension."""
    if not covariance:
        return None
    from em_cli.families.covariances import COVARIANCES

    one, more = COVARIANCES.load(covariance).letters.mclust
    bearing = [len(group.columns) for group in groups if group.has_covariance]
    name: str = one if max(bearing) == 1 else more
    return name
