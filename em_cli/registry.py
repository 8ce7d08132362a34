"""Names of interchangeable parts, imported on first use."""

import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

from em_cli.errors import UsageError

Part = TypeVar("Part")


class Registry(dict[str, str], Generic[Part]):
    """Maps a part's name to the address of its class, "module:attribute".

    A third party adds parts by entry points of the group that is named after the axis, such as
    "em_cli.families". Aliases are further names of parts, under which they are found but not listed.
    """

    def __init__(self, kind: str, aliases: Mapping[str, str] | None = None, /, **addresses: str) -> None:
        super().__init__(addresses)
        self.kind, self.aliases = kind, dict(aliases or {})

    @property
    def axis(self) -> str:
        """The parts of this kind together: families, criteria, starts, …"""
        return {"family": "families", "criterion": "criteria"}.get(self.kind, f"{self.kind}s")

    def load(self, name: str) -> type[Part]:
        """The class of that name; `UsageError` with the nearest right name if there is none."""
        address = self.get(self.aliases.get(name, name)) or self._plugins().get(name)
        if address is None:
            known = [*self, *self.aliases, *self._plugins()]
            raise UsageError(f"unknown {self.kind} {name!r}{did_you_mean(name, known)}")
        module, _, attribute = address.partition(":")
        part: type[Part] = getattr(import_module(module), attribute)
        return part

    def make(self, name: str, *arguments: Any, **options: Any) -> Part:
        """The part of that name, with options."""
        part: Callable[..., Part] = self.load(name)
        return part(*arguments, **options)

    def names(self) -> list[str]:
        return [*self, *(name for name in self._plugins() if name not in self)]

    def knows(self, name: str) -> bool:
        """Whether a part is called so, asking what is installed only where none of ours is."""
        return name in self or name in self._plugins()

    def _plugins(self) -> Mapping[str, str]:
        groups = (f"em_cli.{self.kind}", f"em_cli.{self.axis}")  # the first is how it was called
        return _entry_points(groups, tuple(sys.path))


@cache
def _entry_points(groups: Iterable[str], path: tuple[str, ...]) -> Mapping[str, str]:
    """Addresses by name, of what is installed on this path of imports."""
    from importlib.metadata import entry_points  # slow to import, and rarely needed

    return {point.name: point.value for group in groups for point in entry_points(group=group)}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, or all of them."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if not close:
        lowered = {name.lower(): name for name in known}
        close = [lowered[match] for match in get_close_matches(word.lower(), lowered, n=1)]
    return f". Did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})."
