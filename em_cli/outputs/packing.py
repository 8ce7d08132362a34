"""Output files that are compressed, where their name asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from em_cli.errors import UsageError
from em_cli.outputs.folder import Content, as_bytes

NOT_WRITTEN = (".zst", ".zip", ".parquet", ".feather", ".xlsx", ".xls", ".ods")


class Packs(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def check_packing(option: str, path: str | None, kind: str = "") -> None:
    """`UsageError` if the name says that the file is of a kind that is not written here; this kind (.xlsx) is."""
    suffix = Path(path or "").suffix.lower()
    if kind and path not in (None, "-") and suffix != kind:
        raise UsageError(f"{option} {path}: end its name in {kind}.")
    if suffix in NOT_WRITTEN and suffix != kind:
        raise UsageError(f"{option} {path}: what is written is CSV; end its name in .csv, or in .csv.gz, .bz2 or .xz.")


def packed(path: str, content: Content) -> Content:
    """The content as it is to be written under that name; the same content gives the same bytes."""
    packs = _packs(Path(path).suffix.lower())
    return content if packs is None else _packed(packs, content)


def _packs(suffix: str) -> Packs | None:
    if suffix == ".gz":
        import zlib

        return zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2Compressor()
    if suffix == ".xz":
        import lzma

        return lzma.LZMACompressor()
    return None


def _packed(packs: Packs, content: Content) -> Iterator[bytes]:
    for piece in as_bytes(content):
        yield packs.compress(piece)
    yield packs.flush()
