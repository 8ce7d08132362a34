"""The M-steps of any number of candidates, the components of all of them one behind the other.

What the M-step of a component is does not depend on its company. Where components of one candidate depend on
each other (those of a coupled family, or under a penalty that knows how many they are), an owner index tells
whose each component is: a family that has kin takes those of all candidates of all its kin, whatever their
numbers of components; of others, candidates of as many components go together, each a row of a stack.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.exponential import Kindred
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import Model

Asked = tuple[Model, ModelStatistics, Parameters]  # of R candidates


def maximize_all(asked: Sequence[Asked]) -> list[tuple[Parameters, Flags]]:
    """`Model.at_maximum` of several models; the components of those that stack are gone through together."""
    stacked = [(statistics, at) for _, statistics, at in asked]
    answers: dict[int, tuple[Parameters, Flags]] = {}
    for places in _stacks([model for model, _, _ in asked]):
        if len(places) == 1:
            answers[places[0]] = asked[places[0]][0].at_maximum(*stacked[places[0]])
            continue
        models, found = [asked[place][0] for place in places], [stacked[place] for place in places]
        seen = [model.with_prior(*own).components for model, own in zip(models, found, strict=True)]
        at = [parameters.components for _, parameters in found]
        joined, shapes = np.concatenate(list(map(flat, seen))), [own.weight.shape for own, _ in found]
        components = _maximized(models, joined, at, shapes)
        for place, own in zip(places, _parted(components, shapes), strict=True):
            answers[place] = asked[place][0].with_components(own, *stacked[place])
    return [answers[place] for place in range(len(asked))]


def _maximized(models: list[Model], statistics: Array, at: list[object], shapes: Sequence[tuple[int, ...]]) -> Any:
    """The components (C, …) of models that stack, from their statistics (C, S)."""
    family, within = models[0].family, any(model.is_coupled for model in models)
    if (kindred := _kindred(models[0])) is not None:
        families, sizes = list[Any](), list[list[Integers]]()
        for model, (r, k) in zip(models, shapes, strict=True):
            own = _kindred(model)
            if not families or own is not families[-1]:
                families.append(own)
                sizes.append([])
            sizes[-1].append(np.full(r, k))
        return kindred.maximize_kin(families, list(map(np.concatenate, sizes)), statistics, _joined(at))
    frame = _joined(at) if within or any(_framed(family, own) for own in at) else None
    if within:
        return _by_size(family, statistics, frame, owners(shapes))
    return take(family.maximize(statistics[None], _lifted(frame)), 0)


def _kindred(model: Model) -> Kindred | None:
    by_products = model.family.exponential
    return None if by_products is None else by_products.kindred


def owners(shapes: Sequence[tuple[int, ...]]) -> Integers:
    """The candidate of each component, of stacks of R candidates with K components each; counted from 0."""
    sizes = np.repeat([k for _, k in shapes], [r for r, _ in shapes])
    return np.repeat(np.arange(len(sizes)), sizes)


def _stacks(models: list[Model]) -> list[list[int]]:
    """The places of models that stack with each other, those of one family one behind the other."""
    stacks: dict[Hashable, dict[int, list[int]]] = {}
    for place, model in enumerate(models):
        kindred = _kindred(model)
        key = (id(model.family), model.prior) if kindred is None else kindred.kin
        stacks.setdefault(key, {}).setdefault(id(model.family), []).append(place)
    return [[place for own in families.values() for place in own] for families in stacks.values()]


def _by_size(family: BoundFamily, statistics: Array, frame: object, owner: Integers) -> Any:
    """The M-step of components (C, S), candidates of one size at a time."""
    sizes = np.bincount(owner)
    first = np.cumsum(sizes) - sizes
    parts, order = [], []
    for k in np.unique(sizes):
        places = first[sizes == k][:, None] + np.arange(k)
        parts.append(flat(family.maximize(statistics[places], take(frame, places))))
        order.append(places.ravel())
    back = np.argsort(np.concatenate(order))
    return map_arrays(lambda *arrays: np.concatenate(arrays)[back], parts[0], *parts[1:])


def _framed(family: BoundFamily, components: object) -> bool:
    """Whether statistics may not be plain sums of features, but be about the components."""
    if family.exponential is None:
        return True
    _, apart = family.exponential.natural(components)
    return bool(np.logical_or.reduce(apart))


def _joined(components: list[object]) -> Any:
    first, *others = map(flat, components)
    return map_arrays(lambda *arrays: np.concatenate(arrays), first, *others)


def _lifted(components: object) -> Any:
    """As the only candidate of a stack."""
    return map_arrays(lambda array: array[None], components)


def _parted(components: object, shapes: Sequence[tuple[int, ...]]) -> list[object]:
    """The stacks of the models, from their components one behind the other."""
    ends = np.cumsum([r * k for r, k in shapes]).tolist()
    return [
        map_arrays(
            lambda array, cut=slice(end - r * k, end), r=r, k=k: array[cut].reshape(r, k, *array.shape[1:]), components
        )
        for (r, k), end in zip(shapes, ends, strict=True)
    ]
