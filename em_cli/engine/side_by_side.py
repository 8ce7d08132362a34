"""The M-steps of any number of candidates, the components of all of them one behind the other.

What the M-step of a component is does not depend on its company. Where components of one candidate depend on
each other (those of a coupled family, or under a penalty that knows how many they are), an owner index tells
whose each component is: a family that has kin takes those of all candidates of all its kin, whatever their
numbers of components; of others, candidates of as many components go together, each a row of a stack.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import fields
from itertools import accumulate, groupby, pairwise
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.exponential_family import Kindred
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import SMALLEST_WEIGHT, Model

Asked = tuple[Model, ModelStatistics, Parameters]  # of R candidates


def maximize_all(asked: Sequence[Asked]) -> list[tuple[Parameters, Flags]]:
    """`Model.at_maximum` of several models; the components of those that stack are gone through together."""
    if len(asked) < 2:
        return [model.at_maximum(statistics, at) for model, statistics, at in asked]
    components: dict[int, object] = {}
    for places in _stacks([model for model, _, _ in asked]):
        components |= zip(places, _components([asked[place] for place in places]), strict=True)
    parameters = [Parameters(latent, components[place]) for place, latent in enumerate(_latents(asked))]
    return list(zip(parameters, _empty(asked), strict=True))


def _components(asked: list[Asked]) -> list[object]:
    """The components (R, K, …) of each of some models that stack."""
    families, within = [model.family for model, _, _ in asked], any(model.is_coupled for model, _, _ in asked)
    seen = [model.with_prior(statistics, at).components for model, statistics, at in asked]
    frames, shapes = [at.components for _, _, at in asked], [own.shape[:2] for own in seen]
    if (kindred := _kindred(asked[0][0])) is None and len(asked) == 1:
        return [families[0].maximize(seen[0], frames[0])]
    statistics = np.concatenate([own.reshape(-1, own.shape[2]) for own in seen])
    if kindred is not None:
        kin = [[*group] for _, group in groupby(range(len(asked)), lambda place: id(families[place]))]
        sizes = [_sizes([shapes[place] for place in own]) for own in kin]
        able = [families[own[0]].exponential for own in kin]
        found = kindred.maximize_kin(able, sizes, statistics, [[frames[place] for place in own] for own in kin])
        return _parted(found, shapes)
    frame = _joined(frames) if within or any(_framed(families[0], own) for own in frames) else None
    if within:
        return _parted(_by_size(families[0], statistics, frame, owners(shapes)), shapes)
    return _parted(take(families[0].maximize(statistics[None], _lifted(frame)), 0), shapes)


def _latents(asked: Sequence[Asked]) -> list[object]:
    """The latent parameters of each, of one structure with as many components together."""
    alike: dict[Hashable, list[int]] = {}
    for place, (model, statistics, _) in enumerate(asked):
        alone = statistics.latent is not None
        alike.setdefault(place if alone else (id(model.latent), model.n_components), []).append(place)
    found: dict[int, object] = {}
    for places in alike.values():
        model, statistics, at = asked[places[0]]
        if len(places) == 1:
            found[places[0]] = model.latent.maximize(statistics.weight, statistics.latent, at.latent)
            continue
        weight = np.concatenate([asked[place][1].weight for place in places])
        frames = [asked[place][2].latent for place in places]
        frame = map_arrays(lambda *arrays: np.concatenate(arrays), frames[0], *frames[1:])
        ends = list(accumulate([len(asked[place][1].weight) for place in places], initial=0))
        found |= zip(places, _cut(model.latent.maximize(weight, None, frame), ends), strict=True)
    return [found[place] for place in range(len(asked))]


def _empty(asked: Sequence[Asked]) -> list[Flags]:
    """Which candidates (R,) of each have an empty component, that no prior bears."""
    weights = [statistics.weight for _, statistics, _ in asked]
    shapes = [weight.shape for weight in weights]
    borne = np.concatenate([weight.reshape(-1) for weight in weights]) > SMALLEST_WEIGHT
    sizes = _sizes(shapes)
    lost = np.logical_not(np.logical_and.reduceat(borne, np.cumsum(sizes) - sizes))
    own = _cut(lost, list(accumulate([r for r, _ in shapes], initial=0)))
    return [
        np.zeros_like(flags) if model.is_variational else flags for (model, _, _), flags in zip(asked, own, strict=True)
    ]


def _kindred(model: Model) -> Kindred | None:
    by_products = model.family.exponential
    return None if by_products is None else by_products.kindred


def owners(shapes: Sequence[tuple[int, ...]]) -> Integers:
    """The candidate of each component, of stacks of R candidates with K components each; counted from 0."""
    sizes = _sizes(shapes)
    return np.repeat(np.arange(len(sizes)), sizes)


def _sizes(shapes: Sequence[tuple[int, ...]]) -> Integers:
    """The number of components of each candidate."""
    return np.repeat([k for _, k in shapes], [r for r, _ in shapes])


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


def _parted(components: Any, shapes: Sequence[tuple[int, int]]) -> list[Any]:
    """The stacks of the models, from their components one behind the other."""
    ends = list(accumulate([r * k for r, k in shapes], initial=0))
    return _cut(components, ends, shapes)


def _cut(tree: Any, ends: list[int], shapes: Sequence[tuple[int, int]] | None = None) -> list[Any]:
    """Parts of all arrays of a tree, with other leading axes if these are told: `take` of each part takes longer."""
    if tree is None:
        return [None] * (len(ends) - 1)
    if isinstance(tree, np.ndarray):
        parts = [tree[first:stop] for first, stop in pairwise(ends)]
        tail = tree.shape[1:]
        return parts if shapes is None else [own.reshape(*s, *tail) for own, s in zip(parts, shapes, strict=True)]
    if isinstance(tree, tuple):
        return list(zip(*[_cut(part, ends, shapes) for part in tree], strict=True))
    values = [_cut(getattr(tree, each.name), ends, shapes) for each in fields(tree)]
    return [type(tree)(*own) for own in zip(*values, strict=True)]
