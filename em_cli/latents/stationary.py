"""Stationary laws of Markov chains, and chains that begin in theirs."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.latents.chain import Shape

RARE = 1e-12  # least probability of a step that is free, so that there is one stationary law
ROUNDS = 30
HALVINGS = 8
CLOSE = 1e-10  # nats


def law_of_connected(transitions: Array) -> Array:
    """The stationary laws (…, K) of chains in which every state leads to every other.

    Nothing is subtracted, so all digits are right (Grassmann, Taksar & Heyman 1985).
    """
    a = np.array(transitions, np.float64)
    k = a.shape[-1]
    for n in range(k - 1, 0, -1):
        a[..., :n, n] /= np.add.reduce(a[..., n, :n], axis=-1)[..., None]
        a[..., :n, :n] += a[..., :n, n, None] * a[..., n, None, :n]
    law = np.zeros(a.shape[:-1])
    law[..., 0] = 1.0
    for n in range(1, k):
        law[..., n] = (law[..., :n] * a[..., :n, n]).sum(axis=-1)
    law /= law.sum(axis=-1, keepdims=True)
    return law


def classes_of(possible: Flags) -> list[list[int]]:
    """The sets of states that, once entered, are not left, each in one piece; from the steps (K, K) that can be."""
    reach = possible | np.eye(len(possible), dtype=np.bool_)
    for _ in range(len(possible)):
        reach = reach @ reach
    closed = [k for k in range(len(reach)) if not (reach[k] & ~reach[:, k]).any()]
    return [list(each) for each in dict.fromkeys(tuple(np.flatnonzero(reach[k]).tolist()) for k in closed)]


def stationary_law(transitions: Array) -> Array | None:
    """(K,) of one chain; None if it has several."""
    classes = classes_of(transitions > np.finfo(float).eps)
    if len(classes) != 1:
        return None
    some = np.array(classes[0])
    inside = transitions[np.ix_(some, some)]
    law = np.zeros(len(transitions))
    law[some] = law_of_connected(inside)
    return law


def slope(transitions: Array, law: Array, first: Array) -> Array:
    """Σ first log law changes by the sum of this (…, K, K) times the change of the transitions, the rows of which sum
    to zero (Schweitzer 1968)."""
    k = transitions.shape[-1]
    fundamental = np.linalg.inv(np.eye(k) - transitions + law[..., None, :])
    found: Array = law[..., :, None] * (fundamental @ (first / law)[..., None]).swapaxes(-1, -2)
    return found


def transitions_at_maximum(steps: Array, first: Array, shape: Shape, now: Array) -> Array:
    """Transitions (R, K, K) by which steps and first states are likelier than by those now, or at a maximum.

    A row is in proportion to its steps and to what changing it does for the stationary law; a step too far is halved.
    """
    best = shape.law(steps, now, RARE)
    worth, before = _worth(best, steps, first, shape), _worth(now, steps, first, shape)
    best = np.where((worth >= before)[:, None, None], best, now)
    worth = np.maximum(worth, before)
    for _ in range(ROUNDS):
        pull = slope(best, law_of_connected(best), first)
        pull -= np.minimum.reduce(pull, axis=-1, keepdims=True, where=shape.free, initial=np.inf)
        wanted = shape.law(steps + best * np.where(shape.free, pull, 0.0), best, RARE)
        after, found = _halved(best, wanted, worth, steps, first, shape)
        gain = np.max(found - worth)
        best, worth = after, found
        if gain < CLOSE:
            break
    return best


def _halved(best: Array, wanted: Array, worth: Array, steps: Array, first: Array, shape: Shape) -> tuple[Array, Array]:
    """As far towards what is wanted as it is worth more."""
    share = np.ones(len(best))
    for _ in range(HALVINGS):
        tried = best + share[:, None, None] * (wanted - best)
        found = _worth(tried, steps, first, shape)
        if (found >= worth).all():
            return tried, found
        share = np.where(found >= worth, share, share / 2)
    better = found >= worth
    return np.where(better[:, None, None], tried, best), np.where(better, found, worth)


def _worth(transitions: Array, steps: Array, first: Array, shape: Shape) -> Array:
    """(R,) expected log-likelihood of steps and first states."""
    logs = np.log(np.where(shape.free, transitions, 1.0))
    total: Array = (steps * logs).sum(axis=(1, 2)) + (first * np.log(law_of_connected(transitions))).sum(axis=1)
    return total
