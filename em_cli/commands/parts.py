"""`em parts`: what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from em_cli.options import Debug, grouped

if TYPE_CHECKING:
    from em_cli.parts import Setting
    from em_cli.registry import Registry


@grouped
def parts(
    axis: Annotated[
        str | None, Argument(metavar="AXIS", help="families, covariances, starts, … or the name of a part.")
    ] = None,
    name: Annotated[str | None, Argument(metavar="NAME", help="One part.")] = None,
    debug: Debug = False,
) -> None:
    """List the parts that can be chosen, with their options.

    Example: em parts families
    """
    from em_cli.outputs.folder import write_file

    axes = {registry.axis: registry for registry in _registries()}
    if axis is None:
        lines = [f"{title:<12} {', '.join(registry.names())}" for title, registry in axes.items()]
        lines += ["", "em parts AXIS says what each is; em parts NAME its options."]
    elif name is None:
        lines = _listed(axes, axis)
    else:
        lines = _described(_axis(axes, axis), name)
    write_file("-", ["\n".join(lines) + "\n"])


def _registries() -> tuple[Registry[Any], ...]:
    from em_cli.algorithms import ALGORITHMS
    from em_cli.criteria import CRITERIA
    from em_cli.families import FAMILIES
    from em_cli.families.covariances import COVARIANCES
    from em_cli.latents import LATENTS
    from em_cli.reports import PICTURES
    from em_cli.runners import RUNNERS
    from em_cli.starts import STARTS

    return FAMILIES, COVARIANCES, LATENTS, ALGORITHMS, STARTS, RUNNERS, PICTURES, CRITERIA


def _axis(axes: dict[str, Registry[Any]], asked: str) -> Registry[Any]:
    """The axis of this name, or the one of which a part is "an algorithm", "a start", …"""
    from em_cli.errors import UsageError
    from em_cli.registry import did_you_mean

    found = next((registry for registry in axes.values() if asked in (registry.axis, registry.kind)), None)
    if found is None:
        raise UsageError(f"unknown axis {asked!r}{did_you_mean(asked, axes)}")
    return found


def _listed(axes: dict[str, Registry[Any]], asked: str) -> list[str]:
    """An axis, a line for each part; or the parts of that name, of whichever axis."""
    from em_cli.errors import UsageError
    from em_cli.registry import did_you_mean

    if asked in axes or asked in [registry.kind for registry in axes.values()]:
        registry = _axis(axes, asked)
        members = {name: registry.load(name) for name in registry.names()}
        wide = max(map(len, members))
        return [f"{name:<{wide}}  {_sentence(part)}{_bracketed(part)}" for name, part in members.items()]
    holders = [registry for registry in axes.values() if asked in (*registry.names(), *registry.aliases)]
    if not holders:
        known = [*axes, *(name for registry in axes.values() for name in registry.names())]
        raise UsageError(f"unknown axis or part {asked!r}{did_you_mean(asked, known)}")
    lines: list[str] = []
    for registry in holders:
        lines += [*([""] if lines else []), *_described(registry, asked)]
    return lines


def _described(registry: Registry[Any], name: str) -> list[str]:
    from em_cli.errors import UsageError
    from em_cli.registry import did_you_mean

    known = [*registry.names(), *registry.aliases]
    if name not in known:
        raise UsageError(f"unknown name {name!r} among the {registry.axis}{did_you_mean(name, known)}")
    part = registry.load(name)
    head = f"{name} ({registry.kind}): {_sentence(part)}"
    return [head, *_further(part), *(f"  {_line(setting)}" for setting in _settings(part))]


def _sentence(part: object) -> str:
    """What the part is, in the first lines of what is said of it."""
    return _said(part).split("\n\n")[0].replace("\n", " ")


def _further(part: object) -> list[str]:
    """What is said of the part beyond these."""
    return [" ".join(text.split()) for text in _said(part).split("\n\n")[1:]]


def _said(part: object) -> str:
    """Its description: its module's, where it is alone in one, as ours are; others have their own, if they have any."""
    import sys

    own, module = ((each.__doc__ or "").strip() for each in (part, sys.modules[part.__module__]))
    if not isinstance(part, type):
        return own
    written = own and not own.startswith(f"{part.__name__}(")  # which dataclasses write of themselves
    return own if written and not part.__module__.startswith("em_cli.") else module


def _settings(part: object) -> list[Setting]:
    from em_cli.parts import options_of

    return list(options_of(part).values())


def _line(setting: Setting) -> str:
    return f"{_short(setting)}  {setting.requirement}: {setting.option.says}"


def _short(setting: Setting) -> str:
    """With its default, as the configuration spells it."""
    import json

    default = setting.default
    return f"{setting.name} = {default if isinstance(default, str) else json.dumps(default)}"


def _bracketed(part: object) -> str:
    options = ", ".join(_short(setting) for setting in _settings(part))
    return f" ({options})" if options else ""
