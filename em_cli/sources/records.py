"""Records of delimited text, one by one, with the lines they stand on. Slow: for headers and for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from em_cli.errors import DataError

LONGEST_FIELD = 1 << 26  # characters
csv.field_size_limit(LONGEST_FIELD)


@dataclass(frozen=True, slots=True)
class Record:
    line: int  # on which it begins, from 1
    end: int  # the line after it
    fields: list[str]


def records(text: str, delimiter: str, first_line: int, shown: str) -> Iterator[Record]:
    """Every record that is not blank."""
    blanks = " \t\n".replace(delimiter, "")
    latest = [""]
    reader = csv.reader(_watched(text, latest), delimiter=delimiter, skipinitialspace=True)
    line = first_line
    try:
        for fields in reader:
            end = first_line + reader.line_num
            if end - line > 1 or latest[0].strip(blanks):
                yield Record(line, end, fields)
            line = end
    except csv.Error:
        problem = f"a field is longer than {LONGEST_FIELD:,} characters: is a quote opened and never closed?"
        raise DataError(f"{shown}, line {line}: {problem}") from None


def _watched(text: str, latest: list[str]) -> Iterator[str]:
    for line in io.StringIO(text, newline="\n"):
        latest[0] = line
        yield line


def after_lines(text: str, n: int) -> str:
    """What follows the first n lines."""
    buffer = io.StringIO(text, newline="\n")
    for _ in range(n):
        buffer.readline()
    return buffer.read()


def without_comments(text: str, mark: str) -> str:
    """The same lines, comments cut off."""
    kept: list[str] = []
    inside = 0  # a quoted field
    for line in io.StringIO(text, newline="\n"):
        cut = len(line)
        at = line.find(mark)
        while at >= 0:
            if (inside + line.count('"', 0, at)) % 2 == 0:
                cut = at
                break
            at = line.find(mark, at + 1)
        kept.append(line[:cut])
        if cut < len(line):
            kept.append(line[len(line.rstrip("\n")) :])
        inside += line.count('"', 0, cut)
    return "".join(kept)
