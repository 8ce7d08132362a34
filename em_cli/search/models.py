"""The models that a configuration asks of some columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from em_cli.engine.columns import Columns, summarize
from em_cli.engine.model import Model
from em_cli.engine.protocols import Family, Latent, Source
from em_cli.engine.scoring import base_measure
from em_cli.errors import UsageError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.product import Product
from em_cli.latents.independent import Independent
from em_cli.search.groups import Group, built
from em_cli.sources.schema import Schema

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


def models(
    schema: Schema,
    source: Source,
    groups: Sequence[Group],
    covariances: Sequence[str],
    ks: Sequence[int],
    latent: Latent | None = None,
    prior: float = 0.0,
) -> tuple[Columns, list[tuple[str, Model]]]:
    """The models of every covariance structure and K, with the structure's name; bound to the data."""
    columns = summarize(source)
    for fixed in (group.options["means"] for group in groups if group.options.get("means") is not None):
        if any(len(fixed) != k for k in ks):
            raise UsageError(f"the means of {len(fixed)} components are fixed: that many is what -k must be.")
    made = []
    for covariance in covariances:
        bound = built(schema, groups, covariance).bind(columns)
        if prior and (without := lacks_prior(bound)):
            raise UsageError(f"--prior does not apply: family {without!r} has none.")
        first = Model(bound, (latent or Independent()).bind(bound, columns), ks[0], prior=prior)
        first = replace(first, constant=base_measure(first, source))
        made += [(covariance, replace(first, n_components=k)) for k in ks]
    return columns, made


def lacks_prior(family: Family) -> str | None:
    """The name of a family, this or a part of it, that has no prior."""
    if isinstance(family, Product):
        return next((name for part in family.families if (name := lacks_prior(part))), None)
    return None if hasattr(family, "pseudo_statistics") else type(family).__name__
