"""The forward-backward recursions of a hidden Markov model (Baum et al. 1970), all sequences and candidates at once.

Sequences are cut into chunks that are gone through side by side. Where a sequence has several, it is first learnt
what each chunk makes of any state at its entry, then, chunk by chunk, what is known at the entries and at the exits;
from these exact ends the recursions run inside all chunks together. Densities are divided by the largest of their row,
what is known is normalised at every step (Rabiner 1989); sequences of which that leaves nothing are gone through in
logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.cache import scratch
from em_cli.latents.chunks import Chunks, chunks_of

LEAST = 1e-280  # of a scale in which all digits are there
RESCALED = 4  # steps after which what a chunk makes of a state is normalised


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """What all rows of a sequence say of its states; the responsibilities stand where the log-densities stood."""

    log_likelihood: Array  # (R, G)
    steps: Array  # (R, K, K) expected number of steps between states, each times the weight of its group


def smooth(
    log_density: Array, initial: Array, transitions: Array, groups: Integers, weights: Array | None = None
) -> Smoothed:
    """Overwrite log-densities (R, K, n) by responsibilities, given laws (R, K) and (R, K, K), and weights (…, G)."""
    chunks = chunks_of(groups)
    largest = np.maximum.reduce(log_density, axis=1)
    density = _side_by_side(log_density, largest, chunks)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        enter, leave = _ends(density, initial, transitions, chunks)
        ahead, scale = _forward(density, enter, initial, transitions, chunks)
        lost = _lost(scale, chunks)
        log_scale = np.add.reduce(np.log(scale), axis=0)[:, 0]
        kept = None if not lost.any() else log_density.copy()
        steps = _backward(density, ahead, scale, enter, leave, transitions, chunks, lost, weights)
    log_likelihood = np.add.reduceat(log_scale, chunks.begins, axis=1)
    log_likelihood += np.add.reduceat(largest, groups[:-1], axis=1)
    _in_order(ahead, chunks, log_density)
    if kept is not None:
        for r, group in np.argwhere(lost).tolist():
            rows = slice(groups[group], groups[group + 1])
            weight = 1.0 if weights is None else np.broadcast_to(weights, lost.shape)[r, group]
            found = in_logarithms(kept[r, :, rows], initial[r], transitions[r])
            log_likelihood[r, group], log_density[r, :, rows] = found[0], found[1]
            steps[r] += weight * found[2]
    return Smoothed(log_likelihood, steps)


def filter_forward(log_density: Array, initial: Array, transitions: Array, groups: Integers) -> tuple[Array, Array]:
    """What the rows up to each say of its state (K, n), and the log-density (n,) of each given those before it."""
    stacked = log_density[None]
    chunks = chunks_of(groups)
    largest = np.maximum.reduce(stacked, axis=1)
    density = _side_by_side(stacked, largest, chunks)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        enter, _ = _ends(density, initial[None], transitions[None], chunks)
        ahead, scale = _forward(density, enter, initial[None], transitions[None], chunks)
        lost = _lost(scale, chunks)[0]
        logs = np.log(scale)
    known, given = np.empty_like(stacked), np.empty((1, 1, log_density.shape[1]))
    _in_order(ahead, chunks, known)
    _in_order(logs, chunks, given)
    given[0] += largest
    for group in np.flatnonzero(lost).tolist():
        rows = slice(groups[group], groups[group + 1])
        known[0, :, rows], given[0, 0, rows] = _filter_in_logarithms(log_density[:, rows], initial, transitions)
    return known[0], given[0, 0]


def _side_by_side(log_density: Array, largest: Array, chunks: Chunks) -> Array:
    """Densities (L, R, K, B) over the largest of their row; one where a chunk has no more rows."""
    r, k, n = log_density.shape
    padded = scratch("chain_rows", r, k, n + 1)
    np.subtract(log_density, largest[:, None], out=padded[..., :n])
    padded[..., n] = 0.0
    np.exp(padded, out=padded)
    length, b = chunks.rows.shape
    density = scratch("chain_density", length, r, k, b)
    if chunks.full and len(chunks.begins) == b == 1:
        density[...] = padded[..., :n].transpose(2, 0, 1)[..., None]
    else:
        density[...] = padded.take(chunks.rows, axis=2).transpose(2, 0, 1, 3)
    return density


def _ends(density: Array, initial: Array, transitions: Array, chunks: Chunks) -> tuple[Array, Array]:
    """What is known before each chunk (R, K, B) of its first state, or of the last one before it; and what follows says
    of its last one."""
    _, r, k, b = density.shape
    enter, leave = np.empty((b, r, k)), np.ones((b, r, k))
    enter[chunks.begins] = initial
    if chunks.several:
        made = _transfers(density, transitions, chunks)
        depths = chunks.at_depth()
        for d in depths:
            known = (made[d - 1] @ enter[d - 1][..., None])[..., 0]
            enter[d] = known / np.add.reduce(known, axis=-1, keepdims=True)
        for d in reversed(depths):
            said = (leave[d][..., None, :] @ made[d])[..., 0, :]
            leave[d - 1] = said / np.add.reduce(said, axis=-1, keepdims=True)
    return np.moveaxis(enter, 0, 2), np.moveaxis(leave, 0, 2)


def _transfers(density: Array, transitions: Array, chunks: Chunks) -> Array:
    """What each chunk makes of any state at its entry: (B, R, K, K), to a state from one, up to a factor."""
    length, r, k, b = density.shape
    onward = np.ascontiguousarray(transitions.swapaxes(1, 2))
    now, then = scratch("chain_now", r, k, k, b), scratch("chain_then", r, k, k, b)
    now[...] = onward[..., None]
    now[..., chunks.first] = np.eye(k)[:, :, None]  # where a sequence begins, no step leads to its first row
    np.multiply(now, density[0][:, :, None], out=now)
    logs = np.zeros((r, 1, k, b))
    for t in range(1, length):
        np.matmul(onward, now.reshape(r, k, k * b), out=then.reshape(r, k, k * b))
        np.multiply(then, density[t][:, :, None], out=then)
        now, then = then, now
        if t % RESCALED == RESCALED - 1 or t == length - 1:
            total = np.add.reduce(now, axis=1, keepdims=True)
            logs += np.log(total)
            np.divide(now, total, out=now)
    logs -= np.maximum.reduce(logs, axis=2, keepdims=True)
    now *= np.exp(logs)
    return np.ascontiguousarray(np.moveaxis(now, 3, 0))


def _forward(density: Array, enter: Array, initial: Array, transitions: Array, chunks: Chunks) -> tuple[Array, Array]:
    """What the rows up to each say of its state (L, R, K, B), and the scale of each (L, R, 1, B)."""
    length, r, k, b = density.shape
    onward = np.ascontiguousarray(transitions.swapaxes(1, 2))
    ahead, scale = scratch("chain_ahead", length, r, k, b), scratch("chain_scale", length, r, 1, b)
    known = onward @ enter
    known[..., chunks.first] = initial[..., None]
    np.multiply(known, density[0], out=ahead[0])
    np.add.reduce(ahead[0], axis=1, keepdims=True, out=scale[0])
    np.divide(ahead[0], scale[0], out=ahead[0])
    for t in range(1, length):
        at = ahead[t]
        np.matmul(onward, ahead[t - 1], out=at)
        np.multiply(at, density[t], out=at)
        np.add.reduce(at, axis=1, keepdims=True, out=scale[t])
        np.divide(at, scale[t], out=at)
    return ahead, scale


def _lost(scale: Array, chunks: Chunks) -> Flags:
    """Which groups (R, G) have rows of whose scale digits are lost, or all."""
    lowest = np.minimum.reduce(scale, axis=0)[:, 0]
    lost: Flags = np.logical_or.reduceat(~(lowest > LEAST), chunks.begins, axis=1)
    return lost


def _backward(
    density: Array,
    ahead: Array,
    scale: Array,
    enter: Array,
    leave: Array,
    transitions: Array,
    chunks: Chunks,
    lost: Flags,
    weights: Array | None,
) -> Array:
    """The expected steps (R, K, K); what was known ahead becomes what all rows say, the densities are used up."""
    length, r, k, _ = density.shape
    np.divide(density, scale, out=density)
    back = leave / np.add.reduce(ahead[-1] * leave, axis=1, keepdims=True)
    weight = _weight_of_chunks(chunks, lost, weights)
    came = np.where(chunks.first, 0.0, enter) if chunks.several else None
    steps = np.zeros((r, k, k))
    for t in range(length - 1, -1, -1):
        here = density[t]
        np.multiply(here, back, out=here)  # what the row and those after it say
        before = ahead[t - 1] if t else came
        np.multiply(ahead[t], back, out=ahead[t])
        if t:
            back = np.matmul(transitions, here)
        if before is not None:
            steps += _outer(before, here, chunks.rows[t] < chunks.n_rows, weight)
    return steps * transitions


def _outer(before: Array, here: Array, there: Flags, weight: Array | None) -> Array:
    """Sums (R, K, K) over chunks, of those that have such a row."""
    if weight is not None:
        here = np.where(there & (weight > 0), here * weight, 0.0)
        before = np.where(weight > 0, before, 0.0)
    elif not there.all():
        here = here * there
    product: Array = before @ here.swapaxes(1, 2)
    return product


def _weight_of_chunks(chunks: Chunks, lost: Flags, weights: Array | None) -> Array | None:
    """(R, 1, B), none of those that are lost; None where all weigh one."""
    if weights is None and not lost.any():
        return None
    own = np.ones(lost.shape) if weights is None else np.broadcast_to(weights, lost.shape)
    return np.where(lost, 0.0, own)[:, None, chunks.group]


def _in_order(side_by_side: Array, chunks: Chunks, out: Array) -> None:
    """Values (L, R, K, B) of rows in their order (R, K, n)."""
    length, r, k, b = side_by_side.shape
    flat = side_by_side.transpose(1, 2, 3, 0).reshape(r, k, b * length)  # chunk by chunk: in the order of the rows
    out[...] = flat if chunks.full else flat[..., (chunks.rows < chunks.n_rows).T.ravel()]


def in_logarithms(log_density: Array, initial: Array, transitions: Array) -> tuple[float, Array, Array]:
    """The same of one sequence (K, n): its log-likelihood, responsibilities (K, n) and steps (K, K)."""
    k, n = log_density.shape
    with np.errstate(divide="ignore"):
        start, moves = np.log(initial), np.log(transitions)
    ahead, back = np.empty((n, k)), np.zeros((n, k))
    ahead[0] = start + log_density[:, 0]
    for t in range(1, n):
        ahead[t] = _log_sum(ahead[t - 1][:, None] + moves, 0) + log_density[:, t]
    for t in range(n - 1, 0, -1):
        back[t - 1] = _log_sum(moves + (log_density[:, t] + back[t]), 1)
    total = float(_log_sum(ahead[-1], 0))
    steps = np.zeros((k, k))
    if not np.isfinite(total):
        return total, np.full((k, n), 1 / k), steps
    for t in range(1, n):
        steps += np.exp(ahead[t - 1][:, None] + moves + (log_density[:, t] + back[t]) - total)
    return total, np.exp(ahead + back - total).T, steps


def _filter_in_logarithms(log_density: Array, initial: Array, transitions: Array) -> tuple[Array, Array]:
    known, given = np.empty_like(log_density), np.empty(log_density.shape[1])
    with np.errstate(divide="ignore"):
        before, moves = np.log(initial), np.log(transitions)
    for t in range(len(given)):
        joint = before + log_density[:, t]
        given[t] = _log_sum(joint, 0)
        now = joint - (given[t] if np.isfinite(given[t]) else 0.0)
        known[:, t] = np.exp(now)
        before = _log_sum(now[:, None] + moves, 0)
    return known, given


def _log_sum(values: Array, axis: int) -> Array:
    """Of exponentials; minus infinity where there are none."""
    largest = np.maximum.reduce(values, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.add.reduce(np.exp(values - largest), axis=axis)) + np.squeeze(largest, axis)
    return logs
