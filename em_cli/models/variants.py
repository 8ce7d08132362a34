"""The models that a configuration asks of some columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from em_cli.engine.column_summary import RELATIVE_RESOLUTION, summarize
from em_cli.engine.columns import Columns
from em_cli.engine.documents import field
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Latent
from em_cli.engine.model import Model
from em_cli.engine.rows import Source
from em_cli.errors import UsageError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.product import BoundProduct
from em_cli.latents import LATENTS
from em_cli.latents.independent import Independent
from em_cli.models.alternatives import Change
from em_cli.models.groups import Group, built, family_name
from em_cli.models.variational import approximated, at_mode
from em_cli.sources.schema import Schema
from em_cli.sources.views import transformed

WEAK = 1.0  # pseudo-observations for each component


def covariance_names(asked: Sequence[str] | None, groups: Sequence[Group]) -> tuple[str, ...]:
    """The covariance structures to try; none where no family has any to choose."""
    if not any(group.has_covariance for group in groups):
        if asked:
            raise UsageError("--covariance does not apply: no column is fitted by a family that has one to choose.")
        return ("",)
    if asked == ["all"]:
        if all(len(group.columns) == 1 for group in groups if group.has_covariance):
            return ("full", "tied")  # in one dimension there are no others
        alias = {name: alias for alias, name in COVARIANCES.aliases.items()}
        return tuple(alias.get(name, name) for name in COVARIANCES)
    once: dict[type, str] = {}
    for name in asked or ["full"]:
        once.setdefault(COVARIANCES.load(name), name)  # some have two names
    return tuple(once.values())


@dataclass(frozen=True, slots=True)
class Variant:
    """What models of a sweep may have in common: families of the columns, and a covariance structure."""

    label: str
    family: str
    groups: tuple[Group, ...]
    covariance: str
    latent: str = "independent"
    changes: tuple[Change, ...] = ()  # to what the columns were read as
    schema: Schema | None = None  # with these; None if there are none


def variants(
    by_family: Mapping[str, tuple[Group, ...]], asked: Sequence[str] | None, latents: Sequence[str] = ("independent",)
) -> list[Variant]:
    """Of every law of the labels and every family, with the structures that it has; their labels differ."""
    bearing = [family for family, groups in by_family.items() if any(group.has_covariance for group in groups)]
    found, several = [], len(by_family) > 1
    for family, groups in by_family.items():
        for covariance in covariance_names(asked if family in bearing or not bearing else None, groups):
            label = f"{family} {covariance}".rstrip() if several else covariance
            found.append(Variant(label, family if several else family_name(groups), groups, covariance))
    return [
        replace(one, label=f"{latent} {one.label}".rstrip() if len(latents) > 1 else one.label, latent=latent)
        for latent in latents
        for one in found
    ]


def columns_as_fitted(schema: Schema, source: Source, columns: Columns) -> Columns:
    """The columns on the scales on which they are fitted; the rows are read once more where any is transformed.

    A difference that the data can show is one at the middle of the column.
    """
    transforms = schema.transforms
    if not transforms:
        return columns
    found = summarize(transformed(source, transforms))
    resolution = found.resolution.copy()
    for place, transform in transforms.items():
        middle = transform.inverse(found.mean[place])
        resolution[place] = max(
            columns.resolution[place] * float(np.exp(transform.log_slope(middle))),
            RELATIVE_RESOLUTION * found.sd[place],
        )
    return replace(found, resolution=resolution)


def models(
    schema: Schema,
    source: Source,
    columns: Columns,
    wanted: Sequence[Variant],
    ks: Sequence[int],
    latents: Mapping[str, Latent] | None = None,
    prior: float = 0.0,
    hyperparameters: Mapping[str, object] | None = None,
    modes: bool = False,
) -> list[tuple[str, Model]]:
    """The models of every variant and K, with the variant's label; bound to the data.

    Where hyperparameters are given, even if these are none, parameters are approximate posteriors, or their modes.
    """
    options = [group.options for variant in wanted for group in variant.groups]
    for fixed in (field(own, "means") for own in options if own.get("means") is not None):
        if any(len(fixed) != k for k in ks):
            raise UsageError(f"the means of {len(fixed)} components are fixed: that many is what -k must be.")
    first, scales, independent = [], dict[tuple[tuple[int, str], ...], Columns](), Independent()
    parts: dict[Hashable, BoundFamily] = {}
    for variant in wanted:
        own = variant.schema or schema
        key = tuple((place, str(own.columns[place].transform)) for place in own.transforms)
        if key not in scales:
            scales[key] = columns_as_fitted(own, source, columns)
        bound = built(own, variant.groups, variant.covariance, (source, columns)).bind(scales[key])
        bound = _shared(bound, variant.groups, key, parts)
        if prior and bound.penalty is None:
            raise UsageError(f"--prior does not apply: family {variant.family!r} has none.")
        latent = (latents or {}).get(variant.latent, independent)
        if hyperparameters is not None:
            under = at_mode if modes else approximated
            bound, latent = under(bound, latent, variant.family, hyperparameters)
        first.append(Model(bound, latent.bind(bound, columns), ks[0], prior=prior))
    return [
        (variant.label, replace(model, n_components=k))
        for variant, model in zip(wanted, first, strict=True)
        for k in ks
    ]


def _shared(bound: BoundFamily, groups: Sequence[Group], scales: Hashable, parts: dict[Hashable, BoundFamily]) -> Any:
    """With the families of columns that have no covariance as those of other structures have them."""
    if not isinstance(bound, BoundProduct):
        return bound
    own = tuple(
        family if group.has_covariance else parts.setdefault((id(group), scales), family)
        for group, family in zip(groups, bound.families, strict=True)
    )
    return replace(bound, families=own)


def model_again(document: Mapping[str, object], schema: Schema, groups: tuple[Group, ...], source: Source) -> Model:
    """The model of a document, bound to rows in order to be fitted to them."""
    columns = columns_as_fitted(schema, source, summarize(source))
    family = built(schema, groups, str(document.get("covariance_type") or "")).bind(columns)
    latent = LATENTS.load(field(document, "latent")).of_document(document).bind(family, columns)
    prior = WEAK if document.get("prior") == "weak" else 0.0
    return Model(family, latent, field(document, "n_components"), prior=prior)
