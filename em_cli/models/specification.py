"""What a configuration wants fitted: which family describes which columns, and the law of the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from em_cli.errors import DataError, UsageError
from em_cli.registry import did_you_mean

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.engine.latent import Latent
    from em_cli.models.alternatives import Change
    from em_cli.models.groups import Group, Wish
    from em_cli.sources.table import Data


SEARCH = "search"  # for families of columns, one after the other


def column_types(config: RunConfig) -> tuple[dict[str, str], str]:
    """The types that the configuration gives to columns, also by way of families, and that of the others."""
    from em_cli.models.alternatives import asked
    from em_cli.models.asked_regression import asked_regression, types_of
    from em_cli.models.groups import MIXED, check_comparable, takes
    from em_cli.models.haplotypes import wanted_pairs

    if regression := asked_regression(config):
        return types_of(regression, config), "auto"
    if wanted_pairs(config):
        return {}, "count"
    if config.concomitant:
        from em_cli.models.concomitants import check_told

        check_told(config)
    family, *others = families_of(config)
    if others:
        check_comparable([family, *others])
    types = {name: takes(wish.family) for wish in wishes(config) for name in wish.columns}
    for changes in asked(config.data.types):
        kinds = {change.type for change in changes}
        types[changes[0].column] = "count" if kinds == {"count"} else "numeric"
    types |= {name: kind for name, kind in config.data.types.items() if name not in types}
    return types, "auto" if family in ("auto", MIXED) else takes(family)


def families_of(config: RunConfig) -> list[str]:
    """Each of them once; a search for families begins with those by default."""
    found = [config.family] if isinstance(config.family, str) else list(dict.fromkeys(config.family))
    if SEARCH in found and len(found) > 1:
        raise UsageError(f"--family {SEARCH} looks for families itself: it stands alone.")
    return ["auto"] if found == [SEARCH] else found


def one_family(config: RunConfig) -> str:
    """That of a fit."""
    from em_cli.models.alternatives import OR

    if config.family == SEARCH:
        raise UsageError(f"--family {SEARCH} compares families, which is for em select.")
    if several := [f"{name}={kind}" for name, kind in config.data.types.items() if OR in kind]:
        raise UsageError(f"--type {several[0]}: fit takes one family for a column; em select compares them.")
    first, *others = families_of(config)
    if others:
        raise UsageError(f"fit takes one family, not {1 + len(others)}; em select compares them.")
    return first


def paired(wanted: Sequence[Wish]) -> tuple[tuple[str, ...], ...]:
    """Columns that must stand together, in this order."""
    return tuple(wish.columns for wish in wanted if any(option.endswith("_columns") for option in wish.options))


def wishes(config: RunConfig) -> list[Wish]:
    """Families that are wanted for some columns."""
    from em_cli.families import FAMILIES
    from em_cli.models.alternatives import OR
    from em_cli.models.groups import MIXED, Wish, wish_of
    from em_cli.sources.schema import TYPES

    if config.regression is not None:
        return []
    found = [Wish(group.family, tuple(group.columns), dict(group.model_extra or {})) for group in config.groups]
    alike: dict[str, list[Wish]] = {}
    for name, kind in config.data.types.items():
        if kind not in TYPES and OR not in kind:
            family, _, argument = kind.partition(":")
            if family in TYPES:
                meant = argument if FAMILIES.knows(argument) else family
                raise UsageError(
                    f"--type {name}={kind}: after the type {family} nothing follows. Did you mean "
                    f"--type {name}={meant}?"
                )
            if not FAMILIES.knows(family):
                known = dict.fromkeys([*TYPES, *FAMILIES.names()])
                raise UsageError(f"--type {name}={kind}: unknown type {family!r}{did_you_mean(family, known)}")
            wish = wish_of(family, name, argument)
            alike.setdefault(f"{family} {wish.options}", []).append(wish)
    for of_family in alike.values():
        names = tuple(name for wish in of_family for name in wish.columns)
        found.append(Wish(of_family[0].family, names, of_family[0].options))
    if mixed := [wish for wish in found if wish.family == MIXED]:
        raise UsageError(
            f"family {MIXED!r} is that of several groups of columns together: "
            f"name a family for column {mixed[0].columns[0]!r}."
        )
    repeated = [name for name, times in Counter(name for wish in found for name in wish.columns).items() if times > 1]
    if repeated:
        raise UsageError(f"column {repeated[0]!r} is given to two families.")
    return found


def ways_of(config: RunConfig, data: Data) -> list[tuple[Change, ...]]:
    """Every way to take the columns that are given several families; one way, without a change, if none is."""
    from em_cli.models.alternatives import asked, check_cells_of

    wanted = asked(config.data.types)
    check_cells_of(data, [change for changes in wanted for change in changes])
    return list(product(*wanted))


def options_for(config: RunConfig, family: str) -> dict[str, object]:
    """What is asked of a family; the options of several are for those that have them."""
    from em_cli.models.groups import MIXED, options_of

    if config.family_options and family in ("auto", MIXED):
        raise UsageError(f"{next(iter(config.family_options))!r} is an option of a family: name it with --family.")
    options, families = dict(config.family_options), families_of(config)
    if len(families) > 1:
        known = {name: options_of(name) for name in families}
        if strange := [name for name in options if not any(name in own for own in known.values())]:
            raise UsageError(f"none of the families {', '.join(families)} has an option {strange[0]!r}.")
        options = {name: value for name, value in options.items() if name in known[family]}
    return options


def check_family_options(config: RunConfig) -> None:
    """`UsageError` if a family has no such options, or not with these values; it needs no data to tell."""
    from em_cli.families import FAMILIES
    from em_cli.models.groups import MIXED, REGRESSION
    from em_cli.parts import check_options

    families = families_of(config)
    if config.regression is not None or (len(families) > 1 and not {"auto", MIXED}.isdisjoint(families)):
        return  # which is refused where families are compared
    asked = [(name, options_for(config, name)) for name in families]
    for family, options in [*asked, *((wish.family, wish.options) for wish in wishes(config))]:
        if family not in ("auto", MIXED, REGRESSION):
            check_options(f"family {family!r}", FAMILIES.load(family), options)


def groups_of(config: RunConfig, data: Data, family: str) -> tuple[Group, ...]:
    """Which family describes which columns; the options of several are for those that have them."""
    from em_cli.models.asked_regression import asked_regression
    from em_cli.models.groups import grouped
    from em_cli.models.point_masses import with_point_masses

    if asked := asked_regression(config):
        from em_cli.models.regressions import regression_group

        return (regression_group(asked, data),)
    options = options_for(config, family)
    wanted = wishes(config)
    unknown = [name for wish in wanted for name in wish.columns if name not in data.schema.names]
    if unknown:
        raise DataError(f"column {unknown[0]!r} of a group is not among the columns to fit.")
    wanted = with_point_masses(wanted, data, family, options)
    groups = grouped(data.schema, family, options, wanted, config.concomitant)
    check_cells(data, groups)
    return groups


def check_cells(data: Data, groups: Sequence[Group]) -> None:
    """`DataError` names the first cell that its family cannot describe, or what is wrong with all of a group."""
    import numpy as np

    from em_cli.sources.quoting import quoted

    for group in groups:
        support = group.build(data.schema, "").support
        if support is None:
            continue
        ends = np.full((2, len(group.columns)), np.nan)
        for index in range(len(data.source)):
            block = data.source[index]
            x = block.x[list(group.columns)]
            ends = np.array([np.fmin(ends[0], np.fmin.reduce(x, axis=1)), np.fmax(ends[1], np.fmax.reduce(x, axis=1))])
            refused = ~support.allows(x)
            if refused.any():
                row = int(refused.any(axis=0).argmax())
                place = int(refused[:, row].argmax())
                name = data.schema.names[group.columns[place]]
                raise DataError(
                    f"{data.name}, row {data.row_of(block.first_row + row)}, column {quoted(name)}: "
                    f"{x[place, row]:.15g} cannot be of family {group.family!r}; it must be {support.requirement}."
                )
        if fault := support.refuses(ends.T):
            raise DataError(f"{data.name}, column {quoted(data.schema.names[group.columns[0]])}: {fault}")


def latents_of(config: RunConfig, data: Data, ks: Sequence[int]) -> dict[str, Latent]:
    """The laws of the labels by their names; `UsageError` for what cannot be."""
    found = {name: _told(name, latent, config, data) for name, latent in _chosen(config).items()}
    for latent in found.values():
        if config.regression is not None and latent.extra:
            raise UsageError(
                "a noise component is spread over the columns evenly, and of regressors nothing is said: it does not "
                "go with --response."
            )
        if reason := latent.refuses(data.schema.columns, ks):
            raise UsageError(reason)
        if latent.decoder is not None and latent.decoder.ordered:
            _check_steps(data, config.data.sequence)
    return found


def _check_steps(data: Data, sequence: str | None) -> None:
    """`DataError` if no row follows another, so that nothing is known of the steps between states."""
    from em_cli.sources.quoting import quoted

    if data.sequences is not None and data.sequences.n_steps == data.sequences.n_sequences > 1:
        raise DataError(
            f"{data.name}: each of {data.sequences.n_sequences:,} sequences has one row, so that none follows another: "
            f"name with --sequence what rows of one sequence share, and not {quoted(sequence or '')}, or leave out "
            "--latent markov."
        )


def _told(name: str, latent: Latent, config: RunConfig, data: Data) -> Latent:
    """The law of the labels with the columns that it needs to know."""
    from em_cli.config.choice import CONCOMITANT

    if not config.concomitant:
        if name == CONCOMITANT:
            raise UsageError("--latent concomitant needs columns that tell the mixing weights: --concomitant z1,z2.")
        return latent
    from em_cli.latents.concomitant import Concomitant
    from em_cli.latents.grouped import Grouped
    from em_cli.models.concomitants import told_by

    if isinstance(latent, Concomitant):
        return told_by(config.concomitant, data)
    if isinstance(latent, Grouped):
        return replace(latent, told=told_by(config.concomitant, data, config.data.group))
    return latent


def _check_groups(config: RunConfig, names: Sequence[str]) -> None:
    """`UsageError` unless rows share a component if, and only if, it is said which."""
    from em_cli.config.choice import CONCOMITANT, GROUPED

    if config.data.group is None and GROUPED in names:
        raise UsageError("--latent grouped needs to know which rows share a component: name a column with --group.")
    wanted = CONCOMITANT if config.data.group is None else GROUPED
    if config.concomitant and (strange := [name for name in names if name != wanted]):
        raise UsageError(
            f"--concomitant has columns tell the mixing weights, which --latent {strange[0]} does not know."
        )
    if config.data.group is not None and (others := [name for name in names if name != GROUPED]):
        raise UsageError(f"--group has rows share their component, which --latent {others[0]} does not know.")


def needs_sequences(config: RunConfig) -> bool:
    """Whether rows follow each other, so that it matters which of them belong together."""
    from em_cli.models.haplotypes import PAIRS

    found = _chosen(config)
    _check_groups(config, list(found))
    return any(latent.needs_groups and name != PAIRS for name, latent in found.items())


def names_components(config: RunConfig) -> bool:
    """Whether a law of the labels tells components apart by their numbers."""
    return not all(latent.exchangeable for latent in _chosen(config).values())


def _chosen(config: RunConfig) -> dict[str, Latent]:
    from em_cli.config.choices import latent_choices
    from em_cli.latents import LATENTS
    from em_cli.parts import build

    return {choice.name: build(LATENTS, choice.name, choice.options) for choice in latent_choices(config)}


def prior_of(config: RunConfig) -> float:
    """Pseudo-observations for each component."""
    from em_cli.models.variants import WEAK

    return WEAK if config.prior.name == "weak" else 0.0
