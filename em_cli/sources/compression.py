"""Compressed files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from em_cli.errors import DataError
from em_cli.sources.quoting import listed

ENCRYPTED = 1  # a flag of members of .zip files


class Reads(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def decompress(raw: io.RawIOBase, suffix: str, shown: str) -> Iterator[Reads]:
    """What a compressed file holds; `DataError` as soon as it turns out to be broken."""
    try:
        yield _open(io.BufferedReader(raw), suffix, shown)
    except EOFError:
        raise DataError(f"{shown} is cut short: the compressed data end too early.") from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{shown} is not a valid {suffix} file: {error}.") from None
    except OSError as error:  # this is how bz2 says it
        if error.errno is not None:
            raise
        raise DataError(f"{shown} is not a valid {suffix} file: {error}.") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # its module may be absent
            raise
        raise DataError(f"{shown} is not a valid {suffix} file: {error}.") from None


def _open(raw: io.BufferedReader, suffix: str, shown: str) -> Reads:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if suffix == ".bz2":
        return bz2.BZ2File(raw)
    if suffix == ".xz":
        return lzma.LZMAFile(raw)
    if suffix == ".zip":
        return _only_member(raw.read(), shown)
    try:
        zstandard = import_module("zstandard")
    except ImportError:
        raise DataError(f'{shown}: reading .zst files needs pip install "em-cli[zst]".') from None
    stream: Reads = zstandard.ZstdDecompressor().stream_reader(raw)
    return stream


def _only_member(data: bytes, shown: str) -> Reads:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if "xl/workbook.xml" in names or "content.xml" in names:
            raise DataError(f"{shown} is a spreadsheet, not text: save the sheet as CSV.")
        if len(names) != 1:
            held = f"{len(names)} files ({listed(names)})" if names else "no file"
            raise DataError(f"{shown} holds {held}; one is needed. Unpack it and name the file that is meant.")
        if archive.getinfo(names[0]).flag_bits & ENCRYPTED:
            raise DataError(f"{shown} is encrypted: unpack it first.")
        return archive.open(names[0])
    except (ValueError, OverflowError, IndexError, struct.error) as error:  # of places that lie outside
        raise zipfile.BadZipFile(str(error)) from None
