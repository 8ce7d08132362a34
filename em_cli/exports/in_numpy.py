"""Functions that are pasted, as they stand, into modules that need NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def log_sum(x: Array, axis: int) -> Array:
    """log Σ exp(x) along an axis."""
    top = x.max(axis, keepdims=True)
    top = np.where(np.isinf(top), 0.0, top)
    found: Array = np.log(np.exp(x - top).sum(axis)) + top.squeeze(axis)
    return found


def filtered(density: Array, start: Array, moves: Array, begins: Array, lengths: Array) -> tuple[Array, Array]:
    """Logarithms of what the steps up to each say of its state (n, K), and (n,) its density given those before it.

    Sequences, the longest first, are gone through side by side; `start` (K,) and `moves` (K, K) are logarithms.
    """
    known, given = np.empty_like(density), np.empty(len(density))
    for t in range(lengths.max(initial=0)):
        at = begins[lengths > t] + t
        joint = density[at] + (log_sum(known[at - 1][:, :, None] + moves, 1) if t else start)
        given[at] = log_sum(joint, 1)
        known[at] = joint - given[at, None]
    return known, given


def smoothed(known: Array, given: Array, density: Array, moves: Array, begins: Array, lengths: Array) -> Array:
    """(n, K) what all steps of a sequence say of the state of each."""
    later = np.zeros_like(known)
    for t in range(lengths.max(initial=0) - 2, -1, -1):
        at = begins[lengths > t + 1] + t
        after = density[at + 1] + later[at + 1] - given[at + 1, None]
        later[at] = log_sum(moves + after[:, None], 2)
    found: Array = np.exp(known + later)
    return found


def best_path(density: Array, start: Array, moves: Array, begins: Array, lengths: Array) -> Array:
    """(n,) the states of the most probable path through each sequence (Viterbi 1967)."""
    score, came = np.empty_like(density), np.zeros(density.shape, int)
    for t in range(lengths.max(initial=0)):
        at = begins[lengths > t] + t
        ways = score[at - 1][:, :, None] + moves if t else start + np.zeros((len(at), 1, 1))
        came[at], score[at] = ways.argmax(1), ways.max(1) + density[at]
    path: Array = score.argmax(1)
    for t in range(lengths.max(initial=0) - 2, -1, -1):
        at = begins[lengths > t + 1] + t
        path[at] = came[at + 1, path[at + 1]]
    return path


def moments(cells: Sequence[Any]) -> Array:
    """Times of rows: numbers, or dates in ISO 8601."""
    texts = [str(cell).strip() for cell in cells]
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return np.array([moment(text) for text in texts], "datetime64[us]")


def moment(text: str) -> np.datetime64:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return np.datetime64(text, "us")
    return np.datetime64(found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found, "us")


def ticks_of(times: Array, first: Array, step: tuple[float, str]) -> Array:
    """(n,) how many steps each row is from the `first` (n,) of its sequence."""
    size, unit = step
    if unit == "months":
        times = times.astype("datetime64[M]")
    exact = (times - times[first]).astype(float) / (size * 1e6 if unit == "seconds" else size)
    ticks = np.round(exact)
    if (abs(exact - ticks) > (0.0 if unit else 1e-6 * np.maximum(1.0, abs(ticks)))).any():
        raise ValueError("a time is no whole number of steps from the first of its sequence")
    return ticks.astype(int)


def numbered(names: Sequence[Any]) -> tuple[Array, list[str]]:
    """(n,) the numbers of what is named, in the order in which they come, and the names."""
    known: dict[str, int] = {}
    codes = [known.setdefault(str(name), len(known)) for name in names]
    return np.array(codes, int), list(known)


def sequences(n: int, names: Any, times: Any, step: tuple[float, str] | None) -> tuple[Array, Array, Array]:
    """The step (n,) of each row; where sequences (G,) begin, and how long they are, the longest first."""
    code = numbered(["" for _ in range(n)] if names is None else names)[0]
    if times is None:
        order = np.arange(n)
        if (np.diff(code) != 0).sum() >= max(1, code.max(initial=0) + 1):
            raise ValueError("a sequence comes back after rows of another one")
    else:
        when = moments(times)
        order = np.lexsort((when, code))
        if ((np.diff(code[order]) == 0) & (when[order][1:] == when[order][:-1])).any():
            raise ValueError("two rows of a sequence have the same time")
    first = order[np.searchsorted(code[order], code)]
    ticks = np.empty(n, int)
    ticks[order] = np.arange(n)
    ticks = ticks - ticks[first] if step is None or times is None else ticks_of(when, first, step)
    lengths = np.zeros(code.max(initial=-1) + 1, int)
    np.maximum.at(lengths, code, ticks + 1)
    begins = np.cumsum(lengths) - lengths
    if len(np.unique(places := begins[code] + ticks)) < n:
        raise ValueError("two rows of a sequence are within one step")
    longest = np.argsort(-lengths, kind="stable")
    return places, begins[longest], lengths[longest]


def shown(p: Array, names: Sequence[str]) -> dict[str, Array]:
    """The likeliest state of rows (n, K), the probabilities, and that of all others."""
    likeliest = p.argmax(1)
    others = np.where(np.arange(p.shape[1]) == likeliest[:, None], 0.0, p).sum(1)
    label, each, doubt = names
    return {label: likeliest + 1} | {f"{each}{k + 1}": p[:, k] for k in range(p.shape[1])} | {doubt: others}


def states(
    density: Array, law: tuple[Array, Array], where: tuple[Array, Array, Array], decode: str
) -> dict[str, Array]:
    """What is said of rows with log-densities (n, K): a row that the model does not describe spoils its sequence."""
    places, begins, lengths = where
    steps = np.zeros((lengths.sum(), density.shape[1]))
    steps[places] = density
    start, moves = (np.log(np.asarray(p)) for p in law)
    known, given = filtered(steps, start, moves, begins, lengths)
    path = {"state_viterbi": best_path(steps, start, moves, begins, lengths) + 1}
    found: dict[str, Array]
    if decode == "viterbi":
        found = path | {"log_density": given}
    elif decode == "filter":
        names = ("state_filtered", "filtered", "uncertainty_filtered")
        found = shown(np.exp(known), names) | {"log_density": given}
    elif decode == "posterior":
        p = smoothed(known, given, steps, moves, begins, lengths)
        found = shown(p, ("component", "p", "uncertainty")) | {"log_density": given} | path
    else:
        raise ValueError(f"decode is posterior, viterbi or filter, and not {decode!r}")
    lost = np.zeros(len(steps), bool)
    for begin, length in zip(begins, lengths, strict=True):
        lost[begin : begin + length] = np.isnan(steps[begin : begin + length]).any()
    return {
        name: np.where(lost, np.nan, value)[places] if lost.any() else value[places] for name, value in found.items()
    }


def ahead(density: Array, law: tuple[Array, Array], where: tuple[Array, Array, Array], horizon: int) -> Array:
    """(G, H, K) what is known, in the order of G sequences, of the states of the steps that follow each."""
    places, begins, lengths = where
    steps = np.zeros((lengths.sum(), density.shape[1]))
    steps[places] = density
    start, moves = (np.log(np.asarray(p)) for p in law)
    known, _ = filtered(steps, start, moves, begins, lengths)
    now = np.exp(known[(begins + lengths - 1)[np.argsort(begins)]])
    found = np.empty((len(now), horizon, now.shape[1]))
    for step in range(horizon):
        now = now @ np.asarray(law[1])
        found[:, step] = now
    return found


def foretold(p: Array, means: Mapping[str, Any], sds: Mapping[str, Any]) -> dict[str, Array]:
    """Of steps (G, H, K): their numbers, their likeliest states, and what is expected of columns."""
    groups, horizon, k = p.shape
    rows = p.reshape(-1, k)
    found = {"step": np.tile(np.arange(1, horizon + 1), groups), "component": rows.argmax(1) + 1}
    found |= {f"p{state + 1}": rows[:, state] for state in range(k)}
    for name, own in means.items():
        mean = rows @ np.asarray(own)
        square = rows @ np.square(sds[name]) + (rows * np.square(np.asarray(own) - mean[:, None])).sum(1)
        found |= {f"mean_{name}": mean, f"sd_{name}": np.sqrt(square)}
    return found


def shared(density: Array, weights: Array, names: Sequence[Any]) -> dict[str, Array]:
    """What is said of rows whose groups share a component, from log-densities and log-weights (n, K)."""
    code, _ = numbered(names)
    order = np.argsort(code, kind="stable")
    first = np.searchsorted(code[order], code[order])
    upto = np.cumsum(density[order], axis=0)
    upto += weights[order[first]] - (upto[first] - density[order[first]])
    together = log_sum(upto, 1)
    own = together - np.where(first == np.arange(len(first)), 0.0, np.roll(together, 1))
    last = np.searchsorted(code[order], code[order], "right") - 1
    p, given = np.empty_like(density), np.empty(len(density))
    p[order], given[order] = np.exp(upto[last] - together[last, None]), own
    return shown(p, ("component", "p", "uncertainty")) | {"log_density": given}


def digamma(x: Array) -> Array:
    """By its asymptotic series, from 10 on (Abramowitz & Stegun 6.3.18)."""
    y = x + 10.0
    square, rest = 1 / y**2, np.zeros_like(y)
    for coefficient in (-1 / 12, 691 / 32760, -1 / 132, 1 / 240, -1 / 252, 1 / 120, -1 / 12):
        rest = square * (coefficient + rest)
    found: Array = np.log(y) - 0.5 / y + rest - sum(1 / (x + i) for i in range(10))
    return found


def shares(counts: Array, expected: Array, alpha: Array) -> Array:
    """γ (K,) of a document: terms (m,) with these counts, of which the expected log-probabilities (K, m) are known."""
    likelihood = np.exp(expected)
    gamma: Array = alpha + counts.sum() / len(alpha)
    for _ in range(100):
        before = gamma
        for _ in range(10):
            part = likelihood * np.exp(digamma(gamma) - digamma(gamma.sum(keepdims=True)))[:, None]
            gamma = alpha + (part * (counts / part.sum(0))).sum(1)
        if abs(gamma - before).max() <= 1e-6:
            break
    return gamma


def tokens(documents: Sequence[Any], terms: Sequence[Any], counts: Sequence[Any], known: Mapping[str, int]) -> Any:
    """The names of documents, and of each how often terms occur that are known; one may come as 1 or 1.0."""
    code, names = numbered(documents)
    found: list[dict[int, float]] = [{} for _ in names]
    for document, term, count in zip(code, map(str, terms), counts, strict=True):
        place = known.get(term, known.get(term.removesuffix(".0")))
        if place is not None and float(count) > 0:
            found[document][place] = found[document].get(place, 0.0) + float(count)
    return names, found


def topics(found: Sequence[Mapping[int, float]], expected: Array, alpha: Array) -> dict[str, Array]:
    """The tokens of documents, their largest topics and the shares of all; NaN where there is no token."""
    p = np.full((len(found), len(alpha)), np.nan)
    for row, own in enumerate(found):
        if own:
            places = sorted(own)
            gamma = shares(np.array([own[place] for place in places]), expected[:, places], alpha)
            p[row] = gamma / gamma.sum()
    there = np.array([bool(own) for own in found])
    sizes = np.array([sum(own.values()) for own in found], int)
    largest = np.where(there, np.where(np.isnan(p), 0.0, p).argmax(1) + 1, np.nan)
    return {"tokens": sizes, "topic": largest} | {f"p{k + 1}": p[:, k] for k in range(len(alpha))}
