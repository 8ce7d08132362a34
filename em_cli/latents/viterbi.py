"""The most probable path of states through each sequence (Viterbi 1967), all sequences and chunks side by side."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.latents.chunks import Chunks, chunks_of


def viterbi(log_density: Array, initial: Array, transitions: Array, groups: Integers) -> tuple[Integers, Array]:
    """The path (n,), and its log-probability with the rows (G,), from log-densities (K, n)."""
    chunks = chunks_of(groups)
    with np.errstate(divide="ignore"):
        start, moves = np.log(initial), np.log(transitions)
    padded = np.pad(log_density, ((0, 0), (0, 1)))
    density = padded[:, chunks.rows].transpose(1, 0, 2)  # (L, K, B)
    there = chunks.rows < chunks.n_rows
    enter = _entries(density, start, moves, chunks, there)
    came, score = _climbed(density, enter, start, moves, chunks, there)
    last = _last_states(came, score, chunks)
    states: Integers = np.empty((chunks.length, len(chunks.group)), np.intp)
    lane = np.arange(states.shape[1])
    states[-1] = last
    for t in range(len(states) - 1, 0, -1):
        states[t - 1] = came[t, states[t], lane]
    ends = np.append(chunks.begins[1:], len(chunks.group)) - 1
    return states.T[there.T], score[:, ends].max(axis=0)


def _onward(before: Array, moves: Array) -> tuple[Array, Integers]:
    """The best (K, …) of each next state, and the state that it comes from."""
    ways = before[:, None] + moves.reshape(*moves.shape, *[1] * (before.ndim - 1))
    best = ways.argmax(axis=0)
    return np.take_along_axis(ways, best[None], axis=0)[0], best


def _entries(density: Array, start: Array, moves: Array, chunks: Chunks, there: Flags) -> Array:
    """(K, B) the best log-probability of each state before a chunk; of its first row, where a sequence begins."""
    length, k, b = density.shape
    enter = np.empty((k, b))
    enter[:, chunks.begins] = start[:, None]
    if not chunks.several:
        return enter
    first = np.where(np.eye(k, dtype=np.bool_), 0.0, -np.inf)
    best = np.repeat(moves.T[..., None], b, axis=2)  # (K, K, B) to a state from one at the entry
    best[:, :, chunks.first] = first[..., None]
    best += density[0][:, None]
    for t in range(1, length):
        then, _ = _onward(best, moves)
        best = np.where(there[t], then + density[t][:, None], best)
    for at in chunks.at_depth():
        enter[:, at] = (best[..., at - 1] + enter[None][..., at - 1]).max(axis=1)
    return enter


def _climbed(
    density: Array, enter: Array, start: Array, moves: Array, chunks: Chunks, there: Flags
) -> tuple[Integers, Array]:
    """The state (L, K, B) before each, and the best log-probabilities (K, B) at the end of each chunk."""
    length, k, b = density.shape
    came = np.empty((length, k, b), np.intp)
    score, came[0] = _onward(enter, moves)
    score[:, chunks.first] = start[:, None]
    score = score + density[0]
    stay = np.arange(k)[:, None]
    for t in range(1, length):
        then, best = _onward(score, moves)
        came[t] = np.where(there[t], best, stay)
        score = np.where(there[t], then + density[t], score)
    return came, score


def _last_states(came: Integers, score: Array, chunks: Chunks) -> Integers:
    """(B,) the state of the best path at the end of each chunk."""
    last: Integers = score.argmax(axis=0)
    if not chunks.several:
        return last
    before = np.repeat(np.arange(len(score))[:, None], score.shape[1], axis=1)
    lane = np.arange(score.shape[1])
    for t in range(len(came) - 1, -1, -1):
        before = came[t][before, lane]  # (K, B) where a path came from that ends a chunk in each state
    for at in reversed(chunks.at_depth()):
        last[at - 1] = before[last[at], at]
    return last
