"""`em parts`: what there is to choose from."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from typer import Argument

from em_cli.options import Debug, grouped


@grouped
def parts(
    axis: Annotated[str | None, Argument(metavar="AXIS", help="families, covariances, starts, …")] = None,
    name: Annotated[str | None, Argument(metavar="NAME", help="One part.")] = None,
    debug: Debug = False,
) -> None:
    """List the parts that can be chosen, with their options.

    Example: em parts families
    """
    from em_cli.errors import UsageError
    from em_cli.outputs.folder import write_file
    from em_cli.registry import did_you_mean

    axes, singular = _axes()
    axis = singular.get(axis, axis) if axis else None
    if axis is None:
        lines = [f"{title:<12} {', '.join(members)}" for title, members in axes.items()]
        write_file(
            "-", ["\n".join([*lines, "", "em parts AXIS says what each is; em parts AXIS NAME its options."]) + "\n"]
        )
        return
    if axis not in axes:
        raise UsageError(f"unknown axis {axis!r}{did_you_mean(axis, axes)}")
    members = axes[axis]
    if name is None:
        wide = max(map(len, members))
        write_file(
            "-", [f"{member:<{wide}}  {_sentence(part)}{_bracketed(part)}\n" for member, part in members.items()]
        )
        return
    if name not in members:
        raise UsageError(f"unknown name {name!r} among the {axis}{did_you_mean(name, members)}")
    part = members[name]
    lines = [f"{name}: {_sentence(part)}", *_further(part), *(f"  {option}" for option in _options(part))]
    write_file("-", ["\n".join(lines) + "\n"])


def _axes() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The parts of each axis, and the axis of which a part is "an algorithm", "a start", …"""
    from em_cli.algorithms import ALGORITHMS
    from em_cli.criteria import CRITERIA
    from em_cli.families import FAMILIES
    from em_cli.families.covariances import COVARIANCES
    from em_cli.latents import LATENTS
    from em_cli.registry import Registry
    from em_cli.reports import PICTURES
    from em_cli.runners import RUNNERS
    from em_cli.starts import STARTS

    registries: dict[str, Registry[Any]] = {
        "families": FAMILIES,
        "covariances": COVARIANCES,
        "latents": LATENTS,
        "algorithms": ALGORITHMS,
        "starts": STARTS,
        "runners": RUNNERS,
        "pictures": PICTURES,
    }
    axes = {title: {name: registry.load(name) for name in registry.names()} for title, registry in registries.items()}
    singular = {registry.kind: title for title, registry in registries.items()}
    return axes | {"criteria": dict(CRITERIA)}, singular | {"criterion": "criteria"}


def _sentence(part: Any) -> str:
    """What the part is, in the first line of its module's or its own description."""
    import sys

    own = (part.__doc__ or "").strip()
    module = (sys.modules[part.__module__].__doc__ or "").strip()
    text = own if not isinstance(part, type) else module
    return text.split("\n\n")[0].replace("\n", " ")


def _further(part: Any) -> list[str]:
    """What a function says of the part beyond the first line."""
    if isinstance(part, type):
        return []
    return [" ".join(text.split()) for text in (part.__doc__ or "").strip().split("\n\n")[1:]]


def _options(part: Any) -> list[str]:
    """The fields that a user may set; those without a plain default belong to the engine."""
    if not isinstance(part, type):
        return []
    return [
        f"{field.name} = {field.default!r}"
        for field in fields(part)
        if field.init and isinstance(field.default, int | float | str)
    ]


def _bracketed(part: Any) -> str:
    options = ", ".join(_options(part))
    return f" ({options})" if options else ""
