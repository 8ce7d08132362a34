"""Types that a part settles for itself, of its parameters and of its statistics; elsewhere they may be any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # whose defaults come with Python 3.13

    P = TypeVar("P", default=Any)
    P_told = TypeVar("P_told", default=Any, contravariant=True)  # of what is told of them only
    P_made = TypeVar("P_made", default=Any, covariant=True)
    S = TypeVar("S", default=Any)
    S_told = TypeVar("S_told", default=Any, contravariant=True)
else:
    from typing import TypeVar

    P, P_told, P_made = TypeVar("P"), TypeVar("P_told"), TypeVar("P_made")
    S, S_told = TypeVar("S"), TypeVar("S_told")
