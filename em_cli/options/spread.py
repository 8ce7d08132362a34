"""Groups of options, and bundles of them, spread out for Typer to read, and put together again for a command."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any, get_args, get_type_hints

from typer import Context

from em_cli.errors import UsageError, ValueRefused
from em_cli.options.completers import completer_of
from em_cli.options.help_page import Help, ShortHelp
from em_cli.options.misuse import environment_names, variables_of
from em_cli.printable import safe, say

CONTEXT = "context"  # the parameter that Typer gives the context of a command
HELP = {"short_help": ShortHelp, "long_help": Help}
OF_THE_PROGRAM = {"EM_DEBUG", "EM_READ_ROWS"}  # variables that no option is read from


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its groups of options and its bundles spread out, for Typer to read."""
    spread: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            spread += _parameters(parameter.annotation)
        else:
            for info in get_args(parameter.annotation)[1:]:
                info.autocompletion = info.autocompletion or completer_of(parameter.name, info.metavar)
            spread.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**values: Any) -> None:
        context: Context = values.pop(CONTEXT)
        _warn_of_strangers(context)
        for name in HELP:
            values.pop(name, None)
        values |= dict.fromkeys(_beaten(context, values))
        made = {name: _made(kind, values) for name, kind in groups.items()}
        try:
            command(**values, **made)
        except ValueRefused as refused:
            names = [as_given(context, name) for name in map(str, refused.parts) if name in context.params]
            raise UsageError(f"{names[0]}{refused.reason}" if names else str(refused)) from None

    for name, kind in HELP.items():
        spread.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind))
    spread.append(inspect.Parameter(CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=Context))
    run.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return run


def _warn_of_strangers(context: Context) -> None:
    """Say which variables EM_… of the environment are read by nothing: they may be misspelled."""
    own = variables_of(context.command) | OF_THE_PROGRAM
    others = [name for name in os.environ if name.startswith("EM_") and name not in own]
    known = (environment_names(context.find_root()) | own) if others else own  # which imports all commands
    for name in others:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            meant = f" Did you mean {near[0]}?" if near else " em help configuration tells which there are."
            say(f"warning: nothing is read from {safe(name)} in the environment.{meant}")


def as_given(context: Context, name: str) -> str:
    """An option as it was spelled where its value was given: the variable of the environment, or its names."""
    option = next(one for one in context.command.params if one.name == name)
    source = context.get_parameter_source(name)
    return str(option.envvar) if source is not None and source.name == "ENVIRONMENT" else " or ".join(option.opts)


def _beaten(context: Context, values: Mapping[str, object]) -> list[str]:
    """What the environment says and an option contradicts."""
    beaten = []
    for name, other in (("noise", "latent"), ("latent", "noise"), ("threads", "runner")):
        of_environment, by_option = map(context.get_parameter_source, (name, other))
        if of_environment is None or by_option is None or of_environment.name != "ENVIRONMENT":
            continue
        if by_option.name == "COMMANDLINE" and not (other == "runner" and values[other] != "serial"):
            beaten.append(name)
    return beaten


def _groups_in(kind: type) -> dict[str, type]:
    """The groups of options of a bundle by name; none if it is a group itself."""
    return {} if "panel" in vars(kind) else get_type_hints(kind)


def _made(kind: type, values: dict[str, object]) -> Any:
    """A group, or a bundle, with its options taken out of the values."""
    if groups := _groups_in(kind):
        return kind(**{name: _made(group, values) for name, group in groups.items()})
    return kind(**{field.name: values.pop(field.name) for field in fields(kind)})


def spelled(group: type, name: str) -> str:
    """An option as one writes it."""
    info = get_args(get_type_hints(group, include_extras=True)[name])[1]
    return str(info.default).split("/")[0]  # Typer keeps the first name there


def _parameters(group: type) -> list[inspect.Parameter]:
    if groups := _groups_in(group):
        return [parameter for own in groups.values() for parameter in _parameters(own)]
    hints = get_type_hints(group, include_extras=True)
    found = []
    for field in fields(group):
        info = get_args(hints[field.name])[1]
        info.envvar, info.rich_help_panel = f"EM_{field.name.upper()}", group.panel  # type: ignore[attr-defined]
        info.show_envvar, info.autocompletion = False, completer_of(field.name, info.metavar)
        found.append(
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
        )
    return found
