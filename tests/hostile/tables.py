"""Data files as people have them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    name: str
    content: str | bytes
    expected: Mapping[str, Sequence[Any]] | tuple[str, ...]  # the columns, None for a missing cell; or words
    options: Mapping[str, Any] = field(default_factory=dict)  # of the section `data`
    file: str = "data.csv"
    status: int = 3  # if it is refused

    @property
    def bytes(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


def zipped(members: Sequence[tuple[str, str | bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()
