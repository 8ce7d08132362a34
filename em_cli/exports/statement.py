"""How a model scores a row: steps from its cells to component, probabilities and density."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from em_cli.documents.params_json import Params
from em_cli.engine.documents import field
from em_cli.engine.family import BoundFamily
from em_cli.errors import UsageError
from em_cli.exports.closed_forms import (
    DENSITIES,
    NEAREST_TO_ONE,
    SMALLEST,
    Terms,
    binomial_pairs,
    categorical,
    multinomial,
    whole,
)
from em_cli.exports.elliptic import Steps, elliptic, side_by_side
from em_cli.exports.exportable import GROUPED, ONE_BY_ONE
from em_cli.exports.formula import (
    Formula,
    below,
    call,
    choose,
    either,
    equal,
    exp,
    known,
    label,
    largest,
    ln,
    missing,
    name,
    number,
    total,
)
from em_cli.exports.predictive_laws import of_rates, t_columns
from em_cli.exports.response import means, predicted, refused_by, regression
from em_cli.families.product import BoundProduct
from em_cli.families.regression.generalized import BoundGeneralized
from em_cli.families.regression.linear import BoundLinear
from em_cli.families.transformed import BoundTransformed
from em_cli.families.variational.predictive import Predictive
from em_cli.families.variational.t_columns import TColumns
from em_cli.families.with_covariates import BoundWithCovariates
from em_cli.models.groups import REGRESSION, Group
from em_cli.sources.schema import Schema

OF_RATES = ("poisson", "exponential")
ELLIPTIC = ("gaussian", "student_t", "factor_analyzers", "ppca")
NEGLIGIBLE = -700.0  # logarithm of a share that makes no difference, and whose exponential some databases refuse


@dataclass(frozen=True, slots=True)
class Statement:
    """Cells are x1, x2, …; a step uses the names of those before it."""

    schema: Schema
    refused: Formula | None  # the condition that a cell is none that the model describes: there are no scores then
    steps: Steps
    outputs: tuple[tuple[str, Formula], ...]  # component, p1 … pK, noise, log_density, uncertainty


def statement_of(
    document: Params, schema: Schema, groups: Sequence[Group], family: BoundFamily, components: Any
) -> Statement:
    """Of a model, ready for missing cells in any column, in the user's units; `UsageError` if it has no closed form.

    Where rows belong together the outputs are what the components say of each by itself, and of groups their weights.
    """
    if isinstance(family, BoundWithCovariates):
        family = family.base
    own = [(family, components)]
    if isinstance(family, BoundProduct):
        own = list(zip(family.families, components.parts, strict=True))
    cells = [name(f"x{place + 1}") for place in range(len(schema.columns))]
    refused: list[Formula] = []
    steps: Steps = []
    common, weights = number(0.0), _log_weights(document, schema, cells)
    joint = weights if document["latent"] in ONE_BY_ONE else [number(0.0) for _ in weights]
    described = [document] if len(groups) == 1 and "groups" not in document else document["groups"]
    for group, told, (bound, parameters) in zip(groups, described, own, strict=True):
        part = _Part(group, told, schema, [cells[place] for place in group.columns])
        own_steps, found = part.terms(bound, parameters)
        refused += part.refused(bound)
        steps = side_by_side(steps, own_steps)
        common = common + total(terms.common for terms in found)
        joint = [j + total(terms.own[k] for terms in found) for k, j in enumerate(joint)]
    condition = either(refused) if refused else None
    response = any(group.family == REGRESSION for group in groups)
    if document["latent"] not in ONE_BY_ONE:
        alone = _numbered("density", [common + of for of in joint])
        alone += _numbered("weight", weights) if document["latent"] == GROUPED else []
        alone += _numbered("predicted", means(len(joint))) if response else []
        return Statement(schema, condition, steps, tuple(alone))
    outcomes = [*joint, *_noise(document, cells, common)]
    steps, outputs = _scored(steps, common, outcomes, len(joint))
    return Statement(schema, condition, steps, (*outputs, *(predicted(len(joint)) if response else ())))


def _numbered(kind: str, formulas: Sequence[Formula]) -> list[tuple[str, Formula]]:
    return [(f"{kind}{k + 1}", formula) for k, formula in enumerate(formulas)]


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns that one family describes."""

    group: Group
    told: Mapping[str, Any]  # its parameters
    schema: Schema
    cells: Sequence[Formula]

    def terms(self, bound: BoundFamily, parameters: object) -> tuple[Steps, list[Terms]]:
        family, options = self.group.family, self.group.options
        if family in ELLIPTIC:
            return self._elliptic(bound, parameters)
        if isinstance(bound, BoundLinear | BoundGeneralized):
            steps, terms = regression(bound, self.told, self.cells)
            return steps, [terms]
        if isinstance(bound, Predictive) and family in OF_RATES:
            return [], of_rates(family, self.told, self.cells, options)
        if family == "categorical":
            tables = self.told["probabilities"]
            return [], [categorical(x, [of[j] for of in tables]) for j, x in enumerate(self.cells)]
        if family == "multinomial":
            return [], [multinomial(self.cells, self.told["probabilities"])]
        if family == "binomial" and not options.get("trials"):
            return [], binomial_pairs(self.cells, self.told["probabilities"])
        if family not in DENSITIES:
            raise UsageError(f"a model of family {family!r} cannot be exported: em predict scores new rows by it.")
        density = DENSITIES[family]
        tables = [self.told[field] for field in density.fields]
        return [], [
            density.terms(x, options, list(zip(*[[row[j] for row in table] for table in tables], strict=True)))
            for j, x in enumerate(self.cells)
        ]

    def _elliptic(self, bound: BoundFamily, parameters: Any) -> tuple[Steps, list[Terms]]:
        """Of the cells as they are, or on the scales on which they are fitted: these are the first step."""
        cells, first, slopes = list(self.cells), {}, number(0.0)
        if isinstance(bound, BoundTransformed):
            for place, cell in enumerate(self.cells):
                kind = self.schema.columns[self.group.columns[place]].transform
                if kind is not None:
                    cells[place] = name(f"y{self.group.columns[place] + 1}")
                    value, slope = TRANSFORMED[kind](cell)
                    first[f"y{self.group.columns[place] + 1}"] = value
                    slopes = slopes + known([cell], slope)
            bound = bound.base
        shapes = bound.elliptic
        if isinstance(bound, Predictive):
            shapes, parameters = bound.reading.law.elliptic, parameters.law
        if isinstance(parameters, TColumns):
            alone, *others = t_columns(parameters, cells)
            return ([first] if first else []), [Terms(alone.common + slopes, alone.own), *others]
        assert shapes is not None, "the family has ellipsoids"
        (found,) = shapes.ellipsoids(parameters)
        places = [self.group.columns[place] for place in found.columns]
        steps, terms = elliptic(found, [cells[place] for place in found.columns], places)
        return ([first, *steps] if first else steps), [Terms(terms.common + slopes, terms.own)]

    def refused(self, bound: BoundFamily) -> list[Formula]:
        """Conditions that a cell is none that the family describes; a missing one may be anything."""
        family, options = self.group.family, self.group.options
        if isinstance(bound, BoundLinear | BoundGeneralized):
            condition = refused_by(bound, self.cells)
            return [] if condition is None else [condition]
        if family == "multinomial" or (family == "binomial" and not options.get("trials")):
            pairs = zip(self.cells[::2], self.cells[1::2], strict=False) if family == "binomial" else ()
            return [whole(x) for x in self.cells] + [below(trials, successes) for successes, trials in pairs]
        if family in DENSITIES:
            found = [DENSITIES[family].refuses(x, options) for x in self.cells]
            return [condition for condition in found if condition is not None]
        kinds = [self.schema.columns[place].transform for place in self.group.columns]
        return [BEYOND[kind](x) for kind, x in zip(kinds, self.cells, strict=True) if kind is not None]


TRANSFORMED = {
    "log": lambda x: (ln(x), 0.0 - ln(x)),
    "log1p": lambda x: (ln(x + 1.0), 0.0 - ln(x + 1.0)),
    "sqrt": lambda x: (call("sqrt", x), -math.log(2.0) - 0.5 * ln(x)),
    "logit": lambda x: (ln(x) - ln(1.0 - x), 0.0 - ln(x) - ln(1.0 - x)),  # nothing is divided by zero
}
BEYOND = {
    "log": lambda x: below(x, SMALLEST),
    "log1p": lambda x: below(x + 1.0, SMALLEST),
    "sqrt": lambda x: below(x, SMALLEST),
    "logit": lambda x: either([below(x, SMALLEST), below(NEAREST_TO_ONE, x)]),
}


def _log_weights(document: Params, schema: Schema, cells: Sequence[Formula]) -> list[Formula]:
    if "concomitant" not in document:
        return [number(math.log(max(weight, SMALLEST))) for weight in document["weights"]]
    told = document["concomitant"]
    terms = [number(1.0)]
    for column, mean in zip(field(told, "columns"), field(told, "mean"), strict=True):
        place = schema.names.index(column)
        if levels := schema.columns[place].levels:
            found = [choose(equal(cells[place], float(code)), 1.0, 0.0) for code in range(1, len(levels))]
            terms += [known([cells[place]], one) for one in found]
        else:
            terms.append(choose(missing(cells[place]), float(mean), cells[place]))
    rows = [total(c * term for c, term in zip(row, terms, strict=True)) for row in field(told, "coefficients")]
    logits = [number(0.0), *rows]
    top = largest(logits)
    norm = top + ln(total(exp(logit - top) for logit in logits))
    return [logit - norm for logit in logits]


def _noise(document: Params, cells: Sequence[Formula], common: Formula) -> list[Formula]:
    """That of an outcome beyond the components, uniform over the box of the observed columns."""
    if document["latent"] != "noise":
        return []
    if document.get("noise_density_fixed"):
        densities = [math.log(document["noise_density"]) / len(cells)] * len(cells)
    else:
        densities = [-math.log(highest - lowest) for lowest, highest in document["noise_box"]]
    own = total(known([x], density) for x, density in zip(cells, densities, strict=True))
    return [math.log(document["noise"]) + own - common]


def _scored(
    steps: Steps, common: Formula, outcomes: Sequence[Formula], n_components: int
) -> tuple[Steps, tuple[tuple[str, Formula], ...]]:
    """Bayes' rule, about the likeliest outcome."""
    size = len(outcomes)
    joint, shares = ([name(f"{kind}{k + 1}") for k in range(size)] for kind in ("joint", "share"))
    top = name("top")
    scored = [
        *steps,
        {f"joint{k + 1}": found for k, found in enumerate(outcomes)} | {"common": common},
        {"top": largest(joint)},
        {f"share{k + 1}": exp(_at_least(joint[k] - top)) for k in range(size)},
        {"total": total(shares)},
    ]
    labels = [label(k + 1 if k < n_components else 0) for k in range(size)]
    best = labels[-1]
    for k in reversed(range(size - 1)):
        best = choose(below(joint[k], top), best, labels[k])
    names = [f"p{k + 1}" if k < n_components else "noise" for k in range(size)]
    outputs = [
        ("component", best),
        *((outcome, share / name("total")) for outcome, share in zip(names, shares, strict=True)),
        ("log_density", name("common") + top + ln(name("total"))),
        ("uncertainty", (name("total") - 1.0) / name("total")),
    ]
    return scored, tuple(outputs)


def _at_least(x: Formula) -> Formula:
    """No less than what is negligible."""
    return choose(below(x, NEGLIGIBLE), NEGLIGIBLE, x)
