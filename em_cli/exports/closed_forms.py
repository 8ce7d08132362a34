"""Densities of single columns, written from the parameters of a model document by their names there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.exports.formula import (
    Formula,
    below,
    call,
    choose,
    either,
    equal,
    known,
    ln,
    log1p,
    log_factorial,
    looked_up,
    number,
    square,
    stirling_rest,
    total,
)
from em_cli.families.distributions import gamma_function

LOG_2PI = math.log(2 * math.pi)
SMALLEST = 1e-300  # stands for a probability or a rate of zero where its logarithm is wanted
NEAREST_TO_ONE = 1 - 2.0**-53
IMPOSSIBLE = -1e300
STIRLING = 10.0  # from here on its formula holds to 1e-13
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """The log-density of some cells: what all components have in common, and what each has of its own."""

    common: Formula
    own: tuple[Formula, ...]  # (K,)


@dataclass(frozen=True, slots=True)
class Density:
    """Of one cell: the fields of a document that hold its parameters, which cells it refuses, and its terms."""

    fields: tuple[str, ...]
    refuses: Callable[[Formula, Options], Formula | None]
    common: Callable[[Formula, Options], Formula | float]
    own: Callable[..., Formula]  # of a cell, its options, and the parameters of one component

    def terms(self, x: Formula, options: Options, values: Sequence[tuple[object, ...]]) -> Terms:
        own = tuple(known([x], self.own(x, options, *of_component)) for of_component in values)
        return Terms(known([x], self.common(x, options)), own)


def log(value: float) -> float:
    return math.log(max(value, SMALLEST))


def whole(x: Formula) -> Formula:
    """The condition that it is no count."""
    return either([below(x, 0.0), below(call("floor", x), x)])


def _none(x: Formula, options: Options) -> None:
    return None


def _nothing(x: Formula, options: Options) -> float:
    return 0.0


def _counts(x: Formula, options: Options) -> Formula:
    return whole(x)


def _not_positive(x: Formula, options: Options) -> Formula:
    return below(x, SMALLEST)


def _beyond_the_unit_interval(x: Formula, options: Options) -> Formula:
    return either([below(x, SMALLEST), below(NEAREST_TO_ONE, x)])


def _less_log_factorial(x: Formula, options: Options) -> Formula:
    return 0.0 - log_factorial(x)


def _less_log(x: Formula, options: Options) -> Formula:
    return 0.0 - ln(x)


def normal(x: Formula, mean: Formula | float, sd: float) -> Formula:
    return -0.5 * LOG_2PI - math.log(sd) - 0.5 * square((x - mean) / sd)


def _poisson(x: Formula, options: Options, rate: float) -> Formula:
    return x * log(rate) - rate


def _bernoulli(x: Formula, options: Options, probability: float) -> Formula:
    return looked_up(x, [log(1 - probability), log(probability)])


def _binomial(x: Formula, options: Options, probability: float) -> Formula:
    return x * log(probability) + (float(options["trials"]) - x) * log(1 - probability)


def _ways(x: Formula, options: Options) -> Formula:
    trials = float(options["trials"])
    return math.lgamma(trials + 1) - log_factorial(x) - log_factorial(trials - x)


def _beyond_trials(x: Formula, options: Options) -> Formula:
    return either([whole(x), below(float(options["trials"]), x)])


def _exponential(x: Formula, options: Options, rate: float) -> Formula:
    return math.log(rate) - rate * x


def stirling_of(a: float) -> float:
    """a log a − a − log Γ(a)."""
    return float(gamma_function.stirling_rest(np.array([a]))[0])


def _log_ratio(x: Formula, base: float, away: Formula) -> Formula:
    """log(x / base), where x is base (1 + away): near it no digit is lost."""
    return choose(below(square(away), 0.25), log1p(away), ln(x / base))


def _gamma(x: Formula, options: Options, shape: float, scale: float) -> Formula:
    """About its mean, so that large shapes lose no digits."""
    mean = shape * scale
    away = (x - mean) / mean
    return stirling_of(shape) + shape * (_log_ratio(x, mean, away) - away)


def _lognormal(x: Formula, options: Options, mean: float, sd: float) -> Formula:
    return normal(ln(x), mean, sd)


def _gaussian(x: Formula, options: Options, mean: float, sd: float) -> Formula:
    return normal(x, mean, sd)


def _weibull(x: Formula, options: Options, shape: float, scale: float) -> Formula:
    z = shape * (ln(x) - math.log(scale))
    return math.log(shape) + z - call("exp", z)


def _beta(x: Formula, options: Options, a: float, b: float) -> Formula:
    """About its mean, so that large precisions lose no digits."""
    mean, rest = a / (a + b), b / (a + b)
    level = stirling_of(a) + stirling_of(b) - stirling_of(a + b)
    low, high = _log_ratio(x, mean, (x - mean) / mean), _log_ratio(1.0 - x, rest, (mean - x) / rest)
    return level + a * low + b * high


def _of_beta(x: Formula, options: Options) -> Formula:
    return 0.0 - ln(x) - ln(1.0 - x)


def _von_mises(x: Formula, options: Options, mean: float, concentration: float) -> Formula:
    """By the scaled Bessel function, and 1 − cos as the square of a sine: large concentrations lose no digits."""
    from scipy.special import i0e  # a quarter of a second to import: only where there are angles

    period = float(options.get("period", 2 * math.pi))
    half = call("sin", (x - mean) * (math.pi / period))
    return -math.log(period) - math.log(float(i0e(concentration))) - 2 * concentration * square(half)


def _negative_binomial(x: Formula, options: Options, mean: float, size: float) -> Formula:
    """Large sizes by Stirling's formula, whose leading terms cancel: they are near the Poisson law."""
    if mean <= 0:
        return choose(equal(x, 0.0), 0.0, IMPOSSIBLE)
    return rising(x, size) + x * math.log(mean) - (x + size) * math.log1p(mean / size)


def rising(x: Formula, size: float) -> Formula:
    """log Γ(x + s) - log Γ(s) - x log s."""
    if size < STIRLING:
        return call("log_gamma", x + size) - math.lgamma(size) - x * math.log(size)
    rest = stirling_rest(x + size) - stirling_rest(number(size))
    return (x + (size - 0.5)) * log1p(x / size) - x + rest


def _zero_inflated_poisson(x: Formula, options: Options, rate: float, share: float) -> Formula:
    counted = math.log1p(-share) if share < 1 else math.log(SMALLEST)
    at_zero = log(share + (1 - share) * math.exp(-rate))
    return choose(equal(x, 0.0), at_zero, counted + _poisson(x, options, rate))


def hurdle(continuous: Density) -> Density:
    """A point mass at a value, the density elsewhere; it is with respect to a unit mass there."""

    def value(options: Options) -> float:
        return float(options.get("value") or 0.0)

    def refuses(x: Formula, options: Options) -> Formula | None:
        refused = continuous.refuses(x, options)
        at = equal(x, value(options))
        return None if refused is None else call("and", call("not", at), refused)

    def common(x: Formula, options: Options) -> Formula:
        return choose(equal(x, value(options)), 0.0, continuous.common(x, options))

    def own(x: Formula, options: Options, share: float, *rest: float) -> Formula:
        beside = log(1 - share) + continuous.own(x, options, *rest)
        return choose(equal(x, value(options)), log(share), beside)

    return Density(("value_probabilities", *continuous.fields), refuses, common, own)


GAMMA = Density(("shapes", "scales"), _not_positive, _less_log, _gamma)
LOGNORMAL = Density(("log_means", "log_sds"), _not_positive, _less_log, _lognormal)
DENSITIES: Mapping[str, Density] = {
    "bernoulli": Density(("probabilities",), _none, _nothing, _bernoulli),
    "beta": Density(("alphas", "betas"), _beyond_the_unit_interval, _of_beta, _beta),
    "binomial": Density(("probabilities",), _beyond_trials, _ways, _binomial),
    "exponential": Density(("rates",), lambda x, options: below(x, 0.0), _nothing, _exponential),
    "gamma": GAMMA,
    "lognormal": LOGNORMAL,
    "negative_binomial": Density(("means", "sizes"), _counts, _less_log_factorial, _negative_binomial),
    "poisson": Density(("rates",), _counts, _less_log_factorial, _poisson),
    "von_mises": Density(("means", "concentrations"), _none, _nothing, _von_mises),
    "weibull": Density(("shapes", "scales"), _not_positive, _less_log, _weibull),
    "zero_inflated_gamma": hurdle(GAMMA),
    "zero_inflated_gaussian": hurdle(Density(("means", "sds"), _none, _nothing, _gaussian)),
    "zero_inflated_lognormal": hurdle(LOGNORMAL),
    "zero_inflated_poisson": Density(
        ("rates", "zero_probabilities"), _counts, _less_log_factorial, _zero_inflated_poisson
    ),
}


def categorical(x: Formula, probabilities: Sequence[Sequence[float]]) -> Terms:
    """A table of probabilities for each component."""
    own = tuple(known([x], looked_up(x, [log(p) for p in of_component])) for of_component in probabilities)
    return Terms(number(0.0), own)


def multinomial(cells: Sequence[Formula], probabilities: Sequence[Sequence[float]]) -> Terms:
    """Of the whole row of counts, given their sum; nothing is said where one is missing."""
    common = log_factorial(total(cells)) - total(log_factorial(cell) for cell in cells)
    own = tuple(
        known(cells, total(cell * log(p) for cell, p in zip(cells, of_component, strict=True)))
        for of_component in probabilities
    )
    return Terms(known(cells, common), own)


def binomial_pairs(cells: Sequence[Formula], probabilities: Sequence[Sequence[float]]) -> list[Terms]:
    """Of successes, each followed by its trials, which may not be missing where successes are known."""
    found = []
    for j, (successes, trials) in enumerate(zip(cells[::2], cells[1::2], strict=True)):
        failures = trials - successes
        ways = log_factorial(trials) - log_factorial(successes) - log_factorial(failures)
        own = tuple(known([successes, trials], successes * log(p[j]) + failures * log(1 - p[j])) for p in probabilities)
        found.append(Terms(known([successes, trials], ways), own))
    return found
