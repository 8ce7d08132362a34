"""The models that a configuration asks of some columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from em_cli.engine.columns import Columns, summarize
from em_cli.engine.model import Model
from em_cli.engine.protocols import Family, Source
from em_cli.engine.scoring import base_measure
from em_cli.errors import UsageError
from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.latents.independent import Independent
from em_cli.sources.schema import Schema

FAMILY_OF = {"numeric": "gaussian", "count": "poisson"}  # of a type of column


def family_name(schema: Schema, asked: str) -> str:
    """The family for these columns: what was asked, checked against their types, or what the types say."""
    kinds = {FAMILY_OF[column.type] for column in schema.columns}
    fitting = kinds.pop() if len(kinds) == 1 else "product"
    if asked not in ("auto", *FAMILIES.names()):
        FAMILIES.load(asked)
    if asked not in ("auto", fitting):
        types = ", ".join(f"{column.name}: {column.type}" for column in schema.columns)
        raise UsageError(f"family {asked!r} does not go with the types of the columns ({types}): {fitting!r} does.")
    return fitting


def covariance_names(asked: Sequence[str] | None, family: str) -> tuple[str, ...]:
    """The covariance structures to try; none for a family that has no covariance."""
    if family == "poisson":
        if asked:
            raise UsageError("--covariance does not apply: no column is fitted by a Gaussian.")
        return ("",)
    if asked == ["all"]:
        return tuple(COVARIANCES)
    for name in asked or ():
        COVARIANCES.load(name)
    return tuple(dict.fromkeys(asked or ["full"]))


def unbound(schema: Schema, family: str, covariance: str) -> Family:
    """The family, with its options."""
    if family == "product":
        kinds = list(dict.fromkeys(column.type for column in schema.columns))
        parts = tuple(unbound(schema, FAMILY_OF[kind], covariance) for kind in kinds)
        product: Family = FAMILIES.load(family)(parts, tuple(np.array(schema.indices(kind), np.intp) for kind in kinds))
        return product
    options = {"covariance": covariance} if family == "gaussian" else {}
    made: Family = FAMILIES.load(family)(**options)
    return made


def models(
    schema: Schema, source: Source, family: str, covariances: Sequence[str], ks: Sequence[int]
) -> tuple[Columns, list[tuple[str, Model]]]:
    """The models of every covariance structure and K, with the structure's name; bound to the data."""
    columns = summarize(source)
    made = []
    for covariance in covariances:
        bound = unbound(schema, family, covariance).bind(columns)
        first = Model(bound, Independent(), ks[0])
        first = replace(first, constant=base_measure(first, source))
        made += [(covariance, replace(first, n_components=k)) for k in ks]
    return columns, made
