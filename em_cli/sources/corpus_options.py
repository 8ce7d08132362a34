"""How documents stand in a file: one cell a line, one document a line, or as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from em_cli.errors import UsageError

LONG, WIDE, TEXT = "long", "wide", "text"


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """Which columns hold what; in a wide table all others are terms."""

    document: str | None = None
    term: str | None = None
    count: str | None = None
    text: str | None = None
    stop_words: str | None = None

    def __post_init__(self) -> None:
        if self.text is not None and (self.term or self.count):
            raise UsageError("--text has words counted in a column, and --term names them: give one of the two.")
        if self.count is not None and self.term is None:
            raise UsageError("--count tells how often a term occurs: name the column of terms with --term.")
        if self.term is not None and self.document is None:
            raise UsageError("--term: name the column that tells of which document a line is with --document.")
        if self.stop_words is not None and self.layout == WIDE:
            raise UsageError("--stop-words leaves words out of --text or --term; --exclude does of columns.")
        named = [name for name in (self.document, self.term, self.count, self.text) if name is not None]
        if repeated := [name for name in named if named.count(name) > 1]:
            raise UsageError(f"column {repeated[0]!r} cannot be two things: document, term, count or text.")

    @property
    def layout(self) -> str:
        return TEXT if self.text is not None else LONG if self.term is not None else WIDE

    @property
    def said(self) -> dict[str, object]:
        """What is not left open."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> CorpusOptions:
        return cls(**{one.name: said.get(one.name) for one in fields(cls)})
