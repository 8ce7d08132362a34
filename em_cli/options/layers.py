"""What the options of a command say, as a layer of the run configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from em_cli.errors import UsageError
from em_cli.options.declared_options import Section


def layer(*sections: Section) -> dict[str, Any]:
    """What the options say, as a layer of the run configuration; options not given are not in it."""
    said: dict[str, Any] = {}
    for group in sections:
        values = {
            field.name: _read(field.name, getattr(group, field.name))
            for field in fields(group)
            if getattr(group, field.name) not in (None, [], ())
        }
        if "," in str(values.get("latent", "")):
            values["latents"] = names_in([values.pop("latent")])
        values = _with_finish(_with_runner(values))
        if not group.section:
            said |= values
        elif values:
            said.setdefault(group.section, {}).update(values)
    return said


def _with_runner(values: dict[str, object]) -> dict[str, object]:
    """What --dask and --dask-wait say, as the runner that they are options of."""
    address, wait, named = values.pop("dask", None), values.pop("dask_wait", None), values.get("runner")
    if address is None and wait is None:
        return values
    if named not in (None, "dask") or (address is None and named is None):
        said = "--dask" if address is not None else "--dask-wait"
        beside = f"--runner {named}" if named else "no --dask"
        raise UsageError(f"{said} is about a cluster, and there is {beside}. Give --dask N or --dask tcp://host:8786.")
    own = {"address": address, "wait": wait}
    return values | {"runner": {"name": "dask"} | {name: value for name, value in own.items() if value is not None}}


def _with_finish(values: dict[str, object]) -> dict[str, object]:
    """What --finish says, as an option of the algorithm."""
    finish = values.pop("finish", None)
    if finish is None:
        return values
    if (named := values.get("algorithm")) is None:
        return values | {"algorithm": {"finish": finish}}
    from em_cli.algorithms import ALGORITHMS  # which `em --version` does without
    from em_cli.parts import settings_of

    able = [name for name in ALGORITHMS.names() if "finish" in settings_of(ALGORITHMS, name)]
    if named in ALGORITHMS.names() and named not in able:
        raise UsageError(f"--finish goes with --algorithm {', '.join(able)}; {named} has no finish. Leave it out.")
    return values | {"algorithm": {"name": named, "finish": finish}}


def _read(name: str, value: Any) -> Any:
    """The value as the configuration wants it."""
    if name in ("columns", "exclude", "covariance", "on", "common", "concomitant", "names"):
        listed = names_in(value if isinstance(value, list) else [value])
        if not listed:
            said = ",".join(value) if isinstance(value, list) else value
            raise UsageError(f"--{name} {said!r} names nothing.")
        return listed
    if name == "family" and "," in value:
        return names_in([value])
    if name == "types":
        return by_column("type", "visits=count", value)
    if name == "units":
        return value if isinstance(value, Mapping) else by_column("unit", "duration=s", value)
    if name == "transforms":
        return by_column("transform", "spend=log", value)
    if name in ("restarts", "threads", "k", "dask"):
        return _number(value)
    return value


def names_in(texts: Iterable[str]) -> list[str]:
    """The names in lists with commas."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _number(text: str) -> int | str:
    return int(text) if text.strip().lstrip("+-").isdecimal() else text


def by_column(option: str, example: str, pairs: list[str]) -> Mapping[str, str]:
    """What an option says of each column."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, said = pair.rpartition("=")
        if not equals or not name:
            raise UsageError(
                f"--{option} {pair!r}: write --{option} COLUMN={option.upper()}, as in --{option} {example}."
            )
        if found.setdefault(name, said) != said:
            raise UsageError(f"--{option} gives column {name!r} two {option}s: {found[name]!r} and {said!r}.")
    return found
