"""What a family of data with missing cells has, unchanged, from the family of complete data that it is built around."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

Base = TypeVar("Base")
Told = ParamSpec("Told")
Answer = TypeVar("Answer")


def of_base(method: Callable[Concatenate[Base, Told], Answer]) -> Callable[Concatenate[Any, Told], Answer]:
    """The method as that of `self.base`."""

    @wraps(method)
    def passed_on(self: Any, /, *told: Told.args, **named: Told.kwargs) -> Answer:
        return method(self.base, *told, **named)

    return passed_on
