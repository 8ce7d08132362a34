"""Standard errors of the parameters of a mixture, by the delta method.

From the observed information, and robust ones by the sandwich of it and the scores of the rows (Huber 1967; White
1982). Directions in which nothing changes, such as probabilities at zero or one, are held where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from em_cli.engine.arrays import Array, Flags, n_candidates, take
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model, ModelChart
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.inference.information import Information, by_some, complete_information, differences, information
from em_cli.inference.intervals import at_bound, field_of, places_of
from em_cli.search.survey import SAMPLE_ROWS

HELD = 1e-5  # information left in a direction in which parameters do not move
HELD_SHARE = 1e-3  # of the squared length of a number's gradient in such directions, above which it has no error
DESCENT = -1e-3  # information below which it is not positive, but for rounding
ONE_SIDED = 0.5  # ratio of the changes by steps up and down, of a parameter at its bound
ROUNDING = 1e-3  # of the largest change of a number along any coordinate
AT_END = 1e-9  # of a probability from zero or one
AT_BOUND = 0.1  # complete-data information, which is one elsewhere
HARDLY_TOLD = 0.01  # information left
MODEL_DOUBTED = 1.25  # ratio of the robust standard errors to the others
BESIDE = ("mean[", "sd[")  # numbers that are functions of the parameters
NAMED = 4  # parameters
FEWEST_GROUPS = 10  # whose scores tell of the sandwich
NO_SCORES = 1e-6  # of the other error, below which the scores of all rows are zero but for rounding, as of equal rows
MATRICES = 12  # (P, P) at the peak, measured: the numbers at points about the fit, their gradients
NUMBER = 8  # bytes
# what is done of parameters, and of no rows, measured in log-densities: for each, for pairs of them, for triples
OF_EACH, OF_PAIRS, OF_TRIPLES = 33_000, 40.0, 0.05
CHEAP = 30_000_000  # log-densities in whose time they are taken unasked, however short the climbs were
LONG_CLIMBS = 3_000, 60  # passes over all rows that climbs may take together; where most of them see a sample of these
ON_FACTORS = "a rotation of the factors changes it, and the model not at all"
AT_ITS_END = "it is at the end of its range, where nothing moves it"
UNMOVED = "it is given, or at the end of its range"


@dataclass(frozen=True, slots=True, eq=False)
class StandardErrors:
    """Of every number of a fit, in the user's units; NaN where it is held at a bound, or fixed."""

    document: Mapping[str, object]  # the parameters by name, whose shape the errors take
    observed: Array  # (M,)
    robust: Array  # (M,)
    names: tuple[str, ...]  # of the numbers
    information_left: float  # the least of any direction: 1 were all labels known
    hardly_told: tuple[str, ...]  # numbers that differ most along directions in which little is left, the least first
    without: Mapping[str, str]  # why numbers have none, by their names
    no_robust: str | None = None  # why there are no robust ones, a sentence

    @property
    def ratio(self) -> float:
        """The largest of the robust errors to the others, of weights and means."""
        shown = np.array([name.startswith(("weights[", "mean[")) for name in self.names], np.bool_)
        told = shown & np.isfinite(self.observed) & np.isfinite(self.robust)
        return float(np.max(self.robust[told] / self.observed[told], initial=0.0))


@dataclass(frozen=True, slots=True)
class NoStandardErrors:
    reason: str  # a sentence


def memory_of_errors(model: Model) -> float:
    """Bytes that the standard errors of a fit take, about."""
    return float(NUMBER * MATRICES * model.n_parameters**2)


def cost_beside_rows(model: Model) -> float:
    """Log-densities in whose time is done what needs no rows, about."""
    p = model.n_parameters
    return OF_EACH * p + OF_PAIRS * p**2 + OF_TRIPLES * p**3


def can_be_unasked(model: Model, n_rows: int) -> bool:
    """Whether climbs over so many rows may take as long."""
    passes = LONG_CLIMBS[n_rows > SAMPLE_ROWS]
    return cost_beside_rows(model) <= max(CHEAP, passes * n_rows * model.n_components)


def standard_errors(
    model: Model, parameters: Parameters, weight: Array, source: Source, runner: Runner, frequencies: bool = True
) -> StandardErrors | NoStandardErrors:
    """At the parameters (no stack), whose components bear the weight (K,), of the rows that they were fitted to."""
    chart = model.chart(parameters, weight)
    if chart is None:
        return NoStandardErrors("this model has no coordinates in which its information could be taken.")
    with np.errstate(all="ignore"):
        found = information(model, chart, parameters, source, runner, frequencies)
        if not (np.isfinite(found.observed).all() and np.isfinite(found.scores).all()):
            return NoStandardErrors("the log-likelihood is not smooth at the fit: a component is about to collapse.")
        document = described(model, parameters)
        values = numbers_of(document, document)
        moved = by_some(chart, parameters, partial(_numbers_at, model, document, values))
        gradient = np.ascontiguousarray(differences(moved).T)
        moved -= values
        free_of_bounds = ~_one_sided(moved)
        del moved
        left, directions = np.linalg.eigh(found.observed * np.outer(free_of_bounds, free_of_bounds))
        if left[0] < DESCENT:
            return NoStandardErrors(
                "its information is not positive: the fit is at no maximum of the likelihood, which a smaller --tol "
                "may mend, or columns are nearly functions of each other."
            )
        held = _held(model, chart, found, left, directions)
        free = directions[:, ~held]
        inverse = (free / left[~held]) @ free.T
        names = tuple(name for name, _ in leaves(document))
        of = model.quantities
        without = _without(names, of, values, gradient, directions[:, held])
        observed = _errors(gradient, inverse, np.array([name not in without for name in names], np.bool_))
        numbers = zip(names, values.tolist(), observed.tolist(), strict=True)
        ended = (name for name, value, error in numbers if at_bound(of.get(field_of(name)), value, error))
        without |= dict.fromkeys(ended, AT_ITS_END)
        told = np.array([name not in without for name in names], np.bool_)
        observed[~told] = np.nan
        no_robust = _no_robust(model, found.n_units, free.shape[1])
        robust = _errors(gradient, inverse @ found.scores @ inverse, told if no_robust is None else told & False)
        robust[robust < NO_SCORES * observed] = np.nan
    least = float(left[~held].min(initial=1.0))
    along = (np.abs(gradient @ one) / observed for one in free[:, left[~held] < HARDLY_TOLD].T)
    hardly = tuple(dict.fromkeys(name for shares in along for name in _foremost(shares, names)))
    return StandardErrors(document, observed, robust, names, least, hardly, without, no_robust)


def _no_robust(model: Model, units: int, parameters: int) -> str | None:
    """Why the sandwich tells nothing: the scores of all units add up to zero, and of few leave directions out."""
    grouped = model.latent.needs_groups
    if units > parameters and not (grouped and units < FEWEST_GROUPS):
        return None
    what = "sequences or groups" if grouped else "rows"
    least = max(parameters + 1, FEWEST_GROUPS if grouped else 0)
    return (
        f"there are no robust ones, which need {least:,} {what}, and there {'is' if units == 1 else 'are'} {units:,}."
    )


def _foremost(shares: Array, names: Sequence[str]) -> tuple[str, ...]:
    """The parameters with the largest shares of their error along a direction."""
    order = [i for i in np.argsort(-np.nan_to_num(shares), kind="stable") if not names[i].startswith(BESIDE)]
    return tuple(names[i] for i in order[:NAMED] if shares[i] > 0)


def _numbers_at(model: Model, document: Mapping[str, object], values: Array, stacked: Parameters) -> Array:
    """(R, M) at each candidate; those at the fit where there are none."""
    every = (take(stacked, index) for index in range(n_candidates(stacked)))
    moved = np.array([numbers_of(described(model, one), document) for one in every])
    return np.where(np.isnan(moved), values, moved)


def numbers_of(document: Mapping[str, object], named: Mapping[str, object]) -> Array:
    """(M,) those that `leaves` names in another document of the model; NaN where there is none, such as no end."""
    parts = list[Array]()
    _append_numbers(document, named, parts)
    return np.concatenate(parts) if parts else np.empty(0)


def _append_numbers(node: object, named: object, parts: list[Array]) -> None:
    if isinstance(named, float):
        parts.append(np.array([node if isinstance(node, float) else np.nan]))
    elif isinstance(named, list):
        numbers, own = _all_numbers(named), _all_numbers(node)
        if numbers is not None and own is not None and own.shape == numbers.shape:
            parts.append(own.ravel())
            return
        for place, one in enumerate(named):
            _append_numbers(node[place] if isinstance(node, list) else None, one, parts)
    elif isinstance(named, dict):
        for key, one in named.items():
            _append_numbers(node.get(key) if isinstance(node, dict) else None, one, parts)


def _all_numbers(node: object) -> Array | None:
    """A list, however deep, as an array; None if not all of it are such numbers."""
    first = node
    while isinstance(first, list) and first:
        first = first[-1]
    if not isinstance(first, float):
        return None
    try:
        found = np.array(node)
    except ValueError:  # lists of unlike lengths
        return None
    return found if found.dtype == np.float64 else None


def _one_sided(changes: Array) -> Flags:
    """(P,) coordinates at a bound: a step up and a step down (2P, M) do not change the numbers alike."""
    size = len(changes) // 2
    least = ROUNDING * np.maximum(changes.max(axis=0, initial=0.0), -changes.min(axis=0, initial=0.0))
    found = np.zeros(size, np.bool_)
    for place in range(size):
        up, down = np.abs(changes[place]), np.abs(changes[size + place])
        larger = np.maximum(up, down)
        moved = larger > least
        found[place] = bool((np.minimum(up, down)[moved] < ONE_SIDED * larger[moved]).any())
    return found


def _held(model: Model, chart: ModelChart, found: Information, left: Array, directions: Array) -> Flags:
    """(P,) directions along which nothing changes, or only what is at a bound."""
    held: Flags = left <= HELD
    doubtful = np.flatnonzero(~held & (left < HARDLY_TOLD))
    if len(doubtful):
        held[doubtful] = complete_information(model, chart, found.at_base, directions[:, doubtful]) < AT_BOUND
    return held


def described(model: Model, parameters: Parameters) -> dict[str, object]:
    """The parameters by name; mean and standard deviation of each component and column beside them."""
    means, sds = model.family.moments(parameters.components)
    return model.to_document(parameters) | {"mean": means.tolist(), "sd": sds.tolist()}


def leaves(node: object, name: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a document, however deep, with their places counted from one."""
    if isinstance(node, float):
        yield name, node
    elif isinstance(node, list):
        for place, value in enumerate(node, 1):
            yield from leaves(value, f"{name}[{place}]")
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from leaves(value, f"{name}.{key}" if name else str(key))


def _without(
    names: Sequence[str], quantities: Mapping[str, Quantity], values: Array, gradient: Array, held: Array
) -> dict[str, str]:
    """Why numbers have no error, by their names: the free directions move them, and them alone, if they have one."""
    length = np.square(gradient).sum(axis=1)
    at_end = _at_end(values, gradient) | (np.square(gradient @ held).sum(axis=1) > HELD_SHARE * length)
    whys = ((rotated(names, quantities), ON_FACTORS), (at_end, AT_ITS_END), (length == 0, UNMOVED))
    found = ((name, [why for flags, why in whys if flags[i]]) for i, name in enumerate(names))
    return {name: reasons[0] for name, reasons in found if reasons}


def rotated(names: Sequence[str], quantities: Mapping[str, Quantity]) -> Flags:
    """(M,) loadings on several factors: a rotation of these changes them all, and the model not at all."""
    fields = [field_of(name) for name in names]
    loadings = [quantities.get(field) is Quantity.LOADING for field in fields]
    told = zip(fields, names, loadings, strict=True)
    several = {field for field, name, loading in told if loading and places_of(name)[-1] > 1}
    return np.array([field in several for field in fields], np.bool_)


def _at_end(values: Array, gradient: Array) -> Flags:
    """(M,) numbers at zero or one that nothing moves from there."""
    near = np.minimum(np.abs(values), np.abs(values - 1)) < AT_END
    ended: Flags = near & (np.square(gradient).sum(axis=1) < AT_END)
    return ended


def _errors(gradient: Array, covariance: Array, told: Flags) -> Array:
    variance = np.einsum("mp,mp->m", gradient @ covariance, gradient)
    return np.where(told & (variance > 0), np.sqrt(np.maximum(variance, 0.0)), np.nan)
