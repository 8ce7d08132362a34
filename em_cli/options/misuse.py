"""Options and commands that do not exist, answered by what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from em_cli.options.known_elsewhere import COMMANDS, OPTIONS, plain


def no_such_option(name: str, context: Any) -> str:
    """What is wrong with an option, and which one is meant."""
    path, own = context.command_path, list(_options(context.command))
    begin = f"{path} has no option {name.partition('=')[0]}"
    spelled = f"--{plain(name)}"
    if spelled in own:
        return f"{begin}. Did you mean {spelled}?"
    answer, how = OPTIONS.get(plain(name), (None, ""))
    if answer == "":
        return f"{begin}, and needs none: {how}."
    if answer is not None and answer in own:
        return f"{begin}: {how}."
    near = get_close_matches(spelled, own, n=1, cutoff=0.7)
    if near:
        return f"{begin}. Did you mean {near[0]}?"
    holders = _holders(context.find_root(), spelled) or (_holders(context.find_root(), answer) if answer else [])
    if holders:
        return f"{begin}; {answer or spelled} is an option of {_listed(holders)}."
    return f"{begin}."


def no_such_command(name: str, context: Any) -> str:
    """What is wrong with a command, and which one is meant."""
    path, own = context.command_path, list(getattr(context.command, "commands", {}))
    begin = f"{path} has no command {name!r}"
    if context.parent is None and (meant := COMMANDS.get(name.lower())):
        return f"{begin}: here it is {path} {meant}."
    if not own:
        return f"{begin}, or any other."
    near = get_close_matches(name.lower(), own, n=1)
    return f"{begin}. Did you mean {near[0]!r}?" if near else f"{begin}: there are {', '.join(own)}."


def environment_names(root: Any) -> set[str]:
    """The variables that the options of all commands are read from."""
    return set[str]().union(*map(variables_of, _commands(root.command)))


def variables_of(command: Any) -> set[str]:
    """Those of one command."""
    return {str(one.envvar) for one in command.params if getattr(one, "envvar", None)}


def _commands(command: object) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from _commands(inner)


def _options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "option":
            yield from (*parameter.opts, *parameter.secondary_opts)


def _holders(root: Any, option: str) -> list[str]:
    """The commands that have an option."""
    name = root.command_path
    found = getattr(root.command, "commands", {})
    return [f"{name} {own}" for own, command in found.items() if option in _options(command)]


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
