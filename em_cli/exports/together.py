"""Modules for rows that belong together: sequences of a hidden Markov model, groups that share a component."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from em_cli.documents.params_json import Params
from em_cli.exports import in_numpy
from em_cli.exports.exportable import CHAIN, GROUPED, ONE_BY_ONE
from em_cli.sources.time_steps import MONTHS, SECONDS, parse_step

MIXED = """
    means = np.stack([value for name, value in alone.items() if name.startswith("predicted")])
    p = np.stack([found[f"p{k + 1}"] for k in range(len(means))])
    return found | {"predicted": (p * means).sum(0)} | {f"predicted{k + 1}": own for k, own in enumerate(means)}
"""
OF_CHAIN = '''

STARTPROB = {startprob!r}
TRANSMAT = {transmat!r}


def predict(columns, decode="posterior"):
    """States of the rows of sequences: `columns` holds a list or an array for each of COLUMNS.

    Given all of their sequence (posterior), on its most probable path (viterbi), or by what was known at their time
    (filter).
    """
    alone = densities(columns)
    density = np.stack([alone[f"density{{k + 1}}"] for k in range({k})], axis=1)
    names, times = {names}, {times}
    with np.errstate(all="ignore"):
        where = sequences(len(density), names, times, {step!r})
        found = states(density, (STARTPROB, TRANSMAT), where, decode)
'''
FORECAST = '''

MEANS = {means}
SDS = {sds}


def forecast(columns, horizon):
    """The steps that follow each sequence: their states, and what is expected of columns (em predict --horizon)."""
    alone = densities(columns)
    density = np.stack([alone[f"density{{k + 1}}"] for k in range({k})], axis=1)
    names, times = {names}, {times}
    with np.errstate(all="ignore"):
        p = ahead(density, (STARTPROB, TRANSMAT), sequences(len(density), names, times, {step!r}), horizon)
    named = {{}} if names is None else {{{sequence!r}: np.repeat(numbered(names)[1], horizon)}}
    return named | foretold(p, MEANS, SDS)
'''
OF_GROUPS = '''

def predict(columns):
    """Scores of rows, whose groups share a component: `columns` holds a list or an array for each of COLUMNS."""
    alone = densities(columns)
    density, weights = (
        np.stack([alone[f"{{kind}}{{k + 1}}"] for k in range({k})], axis=1) for kind in ("density", "weight")
    )
    with np.errstate(all="ignore"):
        found = shared(density, weights, columns[{group!r}])
'''


OF_GROUP: tuple[Callable[..., Any], ...] = (in_numpy.log_sum, in_numpy.numbered, in_numpy.shown, in_numpy.shared)
OF_SEQUENCES: tuple[Callable[..., Any], ...] = (
    *(in_numpy.log_sum, in_numpy.filtered, in_numpy.smoothed, in_numpy.best_path, in_numpy.moments, in_numpy.moment),
    *(in_numpy.ticks_of, in_numpy.numbered, in_numpy.sequences, in_numpy.shown, in_numpy.states),
    *(in_numpy.ahead, in_numpy.foretold),
)


@dataclass(frozen=True, slots=True)
class Together:
    """What a module needs beside the densities of rows by themselves."""

    columns: tuple[str, ...]  # that tell what belongs together
    dated: bool  # whether it reads times
    functions: tuple[Callable[..., Any], ...]
    predict: str


def together_of(
    document: Params, response: bool, moments: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> Together | None:
    """None where rows are scored one by one; the columns are those of the fit.

    Of columns of numbers their means (K,) and standard deviations (K,) are needed, for forecasts.
    """
    if document["latent"] in ONE_BY_ONE:
        return None
    k = document["n_components"]
    if document["latent"] == GROUPED:
        group = document["group_column"]
        end = MIXED if response else "    return found\n"
        return Together((group,), False, OF_GROUP, OF_GROUPS.format(k=k, group=group) + end)
    assert document["latent"] == CHAIN, "it is a chain"
    names, times = document.get("sequence_column"), document.get("order_column")
    own = {
        "k": k,
        "names": "None" if names is None else f"columns[{names!r}]",
        "times": "None" if times is None else f"columns[{times!r}]",
        "step": _step(document.get("step")),
    }
    text = OF_CHAIN.format(startprob=document["startprob"], transmat=document["transmat"], **own)
    if response:  # which other columns tell, that are not known of steps to come
        text += '    if decode != "posterior":\n        return found\n' + MIXED.lstrip("\n")
    else:
        means, sds = (_numbers({name: pair[at] for name, pair in moments.items()}) for at in (0, 1))
        text += "    return found\n" + FORECAST.format(means=means, sds=sds, sequence=names, **own)
    columns = tuple(name for name in (names, times) if name is not None)
    return Together(columns, True, OF_SEQUENCES, text)


def _numbers(lists: Mapping[str, Sequence[float]]) -> str:
    """As Python; a moment that there is not is a number of NumPy."""
    told = (
        f"{name!r}: [{', '.join(repr(value) if isfinite(value) else f'np.{value}' for value in own)}]"
        for name, own in lists.items()
    )
    return "{" + ", ".join(told) + "}"


def _step(text: str | None) -> tuple[float, str] | None:
    """Its size, in numbers, seconds or months."""
    if text is None:
        return None
    step = parse_step(text)
    if step.unit in MONTHS:
        return step.count * MONTHS[step.unit], "months"
    return (step.count * SECONDS[step.unit], "seconds") if step.unit else (step.count, "")
