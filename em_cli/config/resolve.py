"""One configuration from defaults, a YAML file, the environment and the options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError

from em_cli.config.choices import AXES, SHORT_FORMS, check_choices, choose, displace
from em_cli.config.run_config import RunConfig
from em_cli.config.value_errors import wanted
from em_cli.config.yaml_text import Path, YamlText, parse, place
from em_cli.errors import UsageError, ValueRefused, in_words
from em_cli.registry import did_you_mean

Layer = Mapping[str, Any]

LARGEST_FILE = 1_000_000  # bytes
LONGEST_VALUE = 60  # characters, in a message
NAMED = {*AXES, ("prior",)}  # sections that may be a bare name, or options beside it
CHOICE = re.compile(r"'([^']+)'")


def resolve(file: str | None, overrides: Sequence[str], options: Layer) -> RunConfig:
    """The run configuration; an option beats `--set`, which beats the file."""
    text = YamlText("the options", {}) if file is None else read_file(file)
    layers = _normal(text.value or {})
    said = [_override(override) for override in overrides]
    above: dict[str, Any] = {}
    for path, value in said:
        _put(above, path, value)
    displace(layers, above)
    places = dict(text.places)
    for path, value in said:
        _put(layers, path, value)
        places = {p: place for p, place in places.items() if p[: len(path)] != path}
    located = YamlText(text.name, None, places)
    if options:
        _validated(layers, located)  # what options beat must be right all the same
        displace(layers, options, kept=above)
        _merge(layers, options)
        for path, value in said:
            if path[:-1] in NAMED:  # an option of the part that the options name
                _put(layers, path, value)
    return _checked(_validated(layers, located, options), located)


def _override(text: str) -> tuple[tuple[str, ...], object]:
    """A `--set`: where, and what."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {text!r}: write --set key=value, as in --set family.covariance=tied.")
    path = tuple(key.strip().split("."))
    if path[-1] == "name" and path[:-1] in AXES:
        path = path[:-1]
    return path, parse(value, f"--set {key}").value


def _validated(layers: Layer, text: YamlText, options: Layer | None = None) -> RunConfig:
    try:
        return RunConfig.model_validate(layers)
    except ValidationError as error:
        raise _refusal(error, layers, text, options or {}) from None


def _checked(config: RunConfig, text: YamlText) -> RunConfig:
    """The configuration, if the parts that it names are there, and have the options."""
    if refused := check_choices(config):
        key, reason = refused
        shorter = [(short,) for short, (part, _) in SHORT_FORMS.items() if (part,) == key]
        written = next((path for path in (key, *shorter) if path in text.places), None)
        raise UsageError(f"{text.where(written)}: {reason}" if written else reason)
    return config


def read_file(file: str) -> YamlText:
    """The YAML of a run configuration; it must be a mapping."""
    try:
        with FilePath(file).open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise UsageError(f"{file or repr(file)}: there is no such configuration file.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read as a configuration ({in_words(error)}).") from None
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{file}: is larger than any run configuration ({LARGEST_FILE:,} bytes): is it the data?")
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where, byte = place(file, content[: error.start].decode("utf-8"), error.start), content[error.start]
        raise UsageError(f"{where}: byte 0x{byte:02x} is not valid in UTF-8: save it as UTF-8.") from None
    text = parse(decoded, file)
    if not isinstance(text.value, dict):
        raise UsageError(f"{file}:1:1: a run configuration is made of 'key: value' lines; `em config init` writes one.")
    return text


def _normal(value: Any) -> dict[str, object]:
    """The layers below must be able to add to `data`, which may be a bare path."""
    layers = {key: own for key, own in value.items() if own is not None or key not in ("data", "search")}
    if isinstance(layers.get("data"), str | list):
        layers["data"] = {"path": layers["data"]}
    if isinstance(layers.get("family"), dict):
        own = dict(layers.pop("family"))
        for key, place in (("name", "family"), ("covariance", "covariance")):
            if key in own:
                layers[place] = own.pop(key)
        layers["family_options"] = own
    return layers


def _put(layers: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if path in (("data",), ("data", "path")) and not isinstance(value, dict):
        path = ("data", "path")
    if path[:1] == ("family",) and len(path) == 2:
        path = {"name": ("family",), "covariance": ("covariance",)}.get(path[1], ("family_options", path[1]))
    if path[:1] == ("model",) and len(path) == 2:
        path = path[1:]
    for depth, key in enumerate(path[:-1], 1):
        inner = layers.get(key)
        if isinstance(inner, str) and path[:depth] in NAMED:
            inner = {"name": inner}
        layers[key] = dict(inner) if isinstance(inner, dict) else {}
        layers = layers[key]
    layers[path[-1]] = choose(layers.get(path[-1]), value) if path in NAMED else value


def _merge(layers: dict[str, Any], more: Layer, under: Path = ()) -> None:
    for key, value in more.items():
        if (*under, key) in NAMED and isinstance(value, Mapping):
            layers[key] = _named_anew(layers.get(key), value)
        elif isinstance(value, Mapping) and isinstance(layers.get(key), dict) and key != "types":
            layers[key] = dict(layers[key])
            _merge(layers[key], value, (*under, key))
        elif (*under, key) in NAMED:
            layers[key] = choose(layers.get(key), value)
        else:
            layers[key] = dict(value) if isinstance(value, Mapping) else value


def _named_anew(present: object, value: Layer) -> Any:
    """A part with options that are given above it: those below stay if it is the same part."""
    stays = "name" not in value or choose(present, value["name"]) != value["name"]
    return choose(present, {key: own for key, own in value.items() if key != "name"}) if stays else dict(value)


def _refusal(error: ValidationError, layers: Layer, text: YamlText, options: Layer) -> UsageError:
    """The first thing wrong, in words, and where."""
    first, *others = error.errors()
    path = _keys(first["loc"], layers, first["type"] == "missing")
    words = [
        e["ctx"]["expected"] for e in others if e["type"] == "literal_error" and _keys(e["loc"], layers, False) == path
    ]
    reason = _reason(first).removesuffix(".") + "".join(f", or {word}" for word in words) + "."
    if _holds(options, path):
        return ValueRefused(path, reason)
    written = (path[0], *path[2:]) if path[:2] == ("data", "path") and path not in text.places else path
    if first["type"] == "missing":
        written = path[:-1]
    where = f"{text.where(written)}: " if written in text.places else ""
    if first["type"] == "extra_forbidden":
        section = _section(path[:-1])
        under = f" under {'.'.join(str(p) for p in path[:-1])}" if len(path) > 1 else ""
        return UsageError(f"{where}unknown key {str(path[-1])!r}{under}{did_you_mean(str(path[-1]), section)}")
    return UsageError(f"{where}{'.'.join(map(str, path))}{reason}")


def _holds(options: Layer, path: Path) -> bool:
    """Whether an option has given what stands at this place."""
    value: Any = options
    for key in path:
        if not isinstance(value, Mapping):
            return True
        if key not in value:
            return False
        value = value[key]
    return bool(path)


def _reason(error: Mapping[str, object]) -> str:
    """The value, and what should be there: the end of a sentence that begins with its name."""
    value, message = error.get("input"), str(error["msg"])
    if error["type"] == "literal_error" and isinstance(value, str):
        choices = CHOICE.findall(message)
        return f": unknown value {_short(repr(value))}{did_you_mean(value, choices)}"
    own = message.removeprefix("Value error, ")
    if own != message and not own.startswith("must"):
        return f": {own}."
    shown = f" {_short(repr(value))}" if isinstance(value, str | int | float | bool) else ""
    return f"{shown}: {wanted(error) or 'it ' + own.removeprefix('Input ')}."


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _keys(location: Path, value: Any, missing: bool) -> Path:
    """The keys and places of a location: pydantic puts the alternatives of a union in between."""
    path: list[str | int] = []
    for part in location:
        known = part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)
        if known:
            value = value[part]
        elif isinstance(value, str) and part == 0:
            value = part  # one name stands for a list of it
        elif not missing:
            continue
        path.append(part)
    return tuple(path)


def _section(path: Path) -> list[str]:
    model: type[BaseModel] = RunConfig
    for key in path:
        annotation = model.model_fields[str(key)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
