"""The options of interchangeable parts: declared where the part is, read and checked in this one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import Parameter, signature, unwrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from em_cli.errors import UsageError
from em_cli.registry import Part, Registry, did_you_mean

LARGEST = 1.7e308  # a number
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word", NoneType: "null"}
SEQUENCES = (list, tuple, Sequence)


@dataclass(frozen=True, slots=True)
class Option:
    """Marks a parameter of a part as one that a user may set.

    `memory: Annotated[int, Option("pairs that are remembered", least=1)] = 10`; whatever is not marked is
    the program's own.
    """

    says: str  # in a line
    least: float | None = None
    above: float | None = None
    most: float | None = None
    check: Callable[[Any], str | None] | None = None  # what is wrong with a value of the right type


@dataclass(frozen=True, slots=True)
class Setting:
    """An option of a part: its type and default, and what it says."""

    name: str
    kind: Any  # its type, as the part declares it
    default: Any
    option: Option

    @property
    def kinds(self) -> tuple[object, ...]:
        """The alternatives of which the value is one."""
        return _alternatives(self.kind)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words among the alternatives."""
        literals = [kind for kind in self.kinds if get_origin(kind) is Literal]
        return tuple(word for kind in literals for word in get_args(kind) if isinstance(word, str))

    @property
    def requirement(self) -> str:
        """What the value must be, in words."""
        limits = ((self.option.least, "at least"), (self.option.above, "above"), (self.option.most, "at most"))
        bounds = " and ".join(f"{word} {limit:g}" for limit, word in limits if limit is not None)
        last = " or " if len(self.kinds) > 1 and not bounds else ", or "
        words = [
            f"{_words(kind)}, {bounds}" if bounds and kind in (int, float) else _words(kind) for kind in self.kinds
        ]
        return last.join(words)

    @property
    def schema(self) -> dict[str, object]:
        """The JSON Schema of its values."""
        alternatives = [_schema(kind) for kind in self.kinds]
        limits = (
            ("minimum", self.option.least),
            ("exclusiveMinimum", self.option.above),
            ("maximum", self.option.most),
        )
        for alternative in alternatives:
            if alternative.get("type") in ("integer", "number"):
                alternative |= {word: limit for word, limit in limits if limit is not None}
        return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}

    def wrong(self, value: object) -> str | None:
        """What is wrong with a value, to follow the name of the option; None if nothing is."""
        if not any(_fits(value, kind) for kind in self.kinds) or not self._within(value):
            near = did_you_mean(value, self.choices) if isinstance(value, str) and self.choices else "."
            return f"must be {self.requirement}, not {_short(value)}{near}"
        reason = self.option.check and self.option.check(value)
        return f"{reason}." if reason else None

    def _within(self, value: Any) -> bool:
        if isinstance(value, list | tuple):
            return all(map(self._within, value))
        if isinstance(value, bool | str | None):
            return True
        low, above, most = self.option.least, self.option.above, self.option.most
        return (low is None or value >= low) and (above is None or value > above) and (most is None or value <= most)


@lru_cache
def options_of(part: Callable[..., object]) -> Mapping[str, Setting]:
    """What may be set of a part, in the order in which it declares it."""
    hints = get_type_hints(unwrap(part), include_extras=True)  # of a class, each base in its own module
    parameters = signature(part).parameters.values()
    settings = (_setting(parameter, hints.get(parameter.name)) for parameter in parameters)
    return {setting.name: setting for setting in settings if setting}


def settings_of(registry: Registry[Any], name: str) -> Mapping[str, Setting]:
    """What may be set of the part of that name."""
    part: Callable[..., Any] = registry.load(name)
    return options_of(part)


def _setting(parameter: Parameter, hint: object) -> Setting | None:
    if get_origin(hint) is not Annotated:
        return None
    kind, *marks = get_args(hint)
    option = next((mark for mark in marks if isinstance(mark, Option)), None)
    return None if option is None else Setting(parameter.name, kind, parameter.default, option)


def check_options(what: str, part: Callable[..., object], options: Mapping[str, object]) -> None:
    """`UsageError` if a part, such as "family 'gaussian'", has no such options, or not with these values."""
    known = options_of(part)
    for name, value in options.items():
        if name not in known:
            raise UsageError(f"{what} has no option {name!r}{did_you_mean(name, known) if known else '.'}")
        if reason := known[name].wrong(value):
            raise UsageError(f"{name} of {what} {reason}")


def build(registry: Registry[Part], name: str, options: Mapping[str, object], **own: Any) -> Part:
    """The part of that name with its options, once these are checked, and what else the program gives it."""
    part: Callable[..., Part] = registry.load(name)
    check_options(f"{registry.kind} {name!r}", part, options)
    known = options_of(part)
    return part(**{key: _as(known[key].kinds, value) for key, value in options.items()}, **own)


def _alternatives(kind: object) -> tuple[object, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _as(kinds: Sequence[object], value: object) -> Any:
    """A list as a tuple, and lists in it likewise, where the part wants one."""
    inner = next((get_args(kind)[0] for kind in kinds if get_origin(kind) is tuple), None)
    if inner is None or not isinstance(value, list | tuple):
        return value
    return tuple(_as(_alternatives(inner), own) for own in value)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, own) for own in get_args(kind))
    if get_origin(kind) is Literal:
        return any(value == word and type(value) is type(word) for word in get_args(kind))
    if get_origin(kind) in SEQUENCES:
        (inner, *_) = get_args(kind)
        return isinstance(value, list | tuple) and bool(value) and all(_fits(own, inner) for own in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _schema(kind: Any) -> dict[str, object]:
    if get_origin(kind) in (Union, UnionType):
        return {"anyOf": [_schema(own) for own in get_args(kind)]}
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if get_args(kind):
        return {"type": "array", "items": _schema(get_args(kind)[0])}
    return {"type": {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}[kind]}


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(word) for word in get_args(kind))
    if get_args(kind):
        return f"a list of {_plural(get_args(kind)[0])}"
    return WORDS[kind]


def _plural(kind: Any) -> str:
    if get_origin(kind) in (Union, UnionType):
        return " or ".join("nulls" if own is NoneType else _plural(own) for own in get_args(kind))
    if get_args(kind):
        return f"lists of {_plural(get_args(kind)[0])}"
    return {float: "numbers", int: "whole numbers", str: "words"}.get(kind, "values")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
