"""What stands in a line of events, as `--events` and `--progress jsonl` write them."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import create_model

from em_cli.engine import events
from em_cli.outputs.described import Described, says

CRITERIA = dict[str, float | None]  # by name


class EventLine(Described):
    """An event, and when it was."""

    time: Annotated[float, says("seconds since the run began")]
    clock: Annotated[str, says("time of day, UTC")]


def lines() -> Any:
    """The union of the lines of all events: of each its fields, as the engine declares them."""
    return events_union(*map(_line_of, (*get_args(events.FitEvent), events.Ended)))


def events_union(first: object, *rest: Any) -> Any:
    """Any of these."""
    for other in rest:
        first = first | other
    return first


def _line_of(kind: type[Any]) -> type[EventLine]:
    """A number that is not finite is null."""
    hints = get_type_hints(kind, include_extras=True)
    own: dict[str, Any] = {"event": Annotated[Literal[events.name_of(kind)], says("what has happened")]}
    for field in fields(kind):
        hint, text = get_args(hints[field.name])
        own[field.name] = Annotated[_strict(hint), says(text)]
    made: type[EventLine] = create_model(kind.__name__, __base__=EventLine, __doc__=kind.__doc__, **own)
    return made


def _strict(hint: object) -> Any:
    if hint is float:
        return float | None
    return CRITERIA if hint == tuple[tuple[str, float], ...] else list[str] if hint == tuple[str, ...] else hint
