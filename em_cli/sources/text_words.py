"""Words of a text: runs of letters, in lower case; and those that say nothing by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from em_cli.errors import DataError, UsageError, in_words
from em_cli.registry import did_you_mean

_LETTERS = re.compile(r"[^\W\d_]+")

_ENGLISH = """
    a about above after again against all also am an and any are as at be because been before being below between
    both but by can cannot could did do does doing don down during each either else ever few for from further get got
    had has have having he her here hers herself him himself his how however i if in into is it its itself just let ll
    like may me might more most much must my myself neither no nor not now of off often on once one only or other our
    ours ourselves out over own per rather re s said same say says shall she should since so some such t than that the
    their theirs them themselves then there these they this those though through thus to too under until up upon us
    ve very was we were what when where whether which while who whom whose why will with within without would yet you
    your yours yourself yourselves
"""
ENGLISH = frozenset(_LETTERS.findall(_ENGLISH))
LISTS = {"english": ENGLISH, "none": frozenset[str]()}


def words_of(text: str, stop: frozenset[str]) -> Iterator[str]:
    """The words of a text that are not stopped."""
    return (word for word in _LETTERS.findall(text.lower()) if word not in stop)


def stop_list(name: str | None) -> frozenset[str]:
    """The words that are left out: a list by its name, or one in a file; none unless it is asked for."""
    if name is None:
        return frozenset()
    if name in LISTS:
        return LISTS[name]
    try:
        text = Path(name).read_text("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"--stop-words {name!r} is neither a list nor a file{did_you_mean(name, LISTS)}") from None
    except (OSError, ValueError) as error:
        why = in_words(error) if isinstance(error, OSError) else "it is not text in UTF-8"
        raise DataError(f"{name}: cannot be read ({why}).") from None
    return frozenset(_LETTERS.findall(text.lower()))
