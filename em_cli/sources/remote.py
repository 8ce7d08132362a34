"""Files by their addresses: https://, s3://, gs:// and what else fsspec knows, with the extra `remote`.

Credentials come from where the libraries of each service look for them, such as the environment. What may be a secret
in an address, a password or a query, is never shown; nor are messages of these libraries, which may hold one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from em_cli.errors import DataError
from em_cli.printable import safe

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[a-z0-9]+)*://")  # one letter before the colon is a drive
_WEB = ("http", "https")  # whose servers do not list what they have, and where ? and * mean something else


def is_address(path: str) -> bool:
    """Whether a file is named by its address."""
    return _ADDRESS.match(path) is not None


def shown_address(address: str) -> str:
    """The address without what may be a secret."""
    parts = urlsplit(address)
    query = "…" if parts.query else ""
    return safe(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, "")))


def path_in(path: str) -> PurePath:
    """The part of a name or an address that says what the file is called."""
    return PurePosixPath(urlsplit(path).path) if is_address(path) else PurePath(path)


def suffix_of(path: str) -> str:
    """The end of the name of a file, in small letters."""
    return path_in(path).suffix.lower()


def matching(address: str, suffixes: tuple[str, ...]) -> list[str]:
    """The files that are meant: those of a pattern, or those of a folder, ending in /, with one of these suffixes."""
    if urlsplit(address).scheme in _WEB or not (address.endswith("/") or any(mark in address for mark in "*[")):
        return [address]
    system, path = _system(address)
    try:
        if not address.endswith("/"):
            found = system.glob(path)
        else:
            inside = (file.removeprefix(path).strip("/") for file in system.find(path))
            wanted = (file for file in inside if suffix_of(file) in suffixes)
            found = [f"{path.rstrip('/')}/{file}" for file in wanted if not any(p[0] in "._" for p in file.split("/"))]
    except Exception as error:  # whatever the library of a service says
        raise _unreadable(address, error) from None
    if not found:
        shown, kinds = shown_address(address), " or ".join(suffixes)
        further = f" that ends in {kinds}. To read all of another kind: '{shown}*.csv'" if address.endswith("/") else ""
        raise DataError(f"no file is found at {shown}{further}.")
    return sorted(str(system.unstrip_protocol(file)) for file in found)


class _Read:
    """A file as it comes; `DataError` says what is wrong with it."""

    def __init__(self, file: IO[bytes], address: str) -> None:
        self._file, self._address = file, address

    def read1(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:
            raise _unreadable(self._address, error) from None


@contextmanager
def opened_at(address: str) -> Iterator[_Read]:
    """The bytes of a file, once; `DataError` if they are not to be had."""
    system, path = _system(address)
    as_it_comes = {"block_size": 0} if urlsplit(address).scheme in _WEB else {}  # not all servers hand out parts
    try:
        file = system.open(path, "rb", **as_it_comes)
    except Exception as error:
        raise _unreadable(address, error) from None
    try:
        yield _Read(file, address)
    finally:
        file.close()


def _system(address: str) -> tuple[Any, str]:
    """What reads files of this kind, and what it calls this one."""
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(address)
    except ImportError:
        raise DataError(f'{shown_address(address)}: reading it needs pip install "em-cli[remote]".') from None
    except Exception as error:
        if isinstance(error, ValueError) and "rotocol" in str(error):
            kind = safe(urlsplit(address).scheme)
            raise DataError(f"{shown_address(address)}: nothing here reads {kind}:// addresses.") from None
        raise _unreadable(address, error) from None
    return system, str(path)


def _unreadable(address: str, error: BaseException) -> DataError:
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:  # as fsspec has it of all answers
        error = error.__cause__
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status == 404:
        return DataError(f"{shown_address(address)} does not exist.")
    if isinstance(error, PermissionError) or status in (401, 403):
        why = "there is no permission; credentials are taken from the environment, as the service has it"
    else:
        why = f"the server answers {status}" if status else _no_answer(error)
    return DataError(f"{shown_address(address)} cannot be read: {why}.")


def _no_answer(error: BaseException) -> str:
    """Why there is none; classes of errors that libraries share with nobody are told by their names."""
    kind = type(error).__name__
    if "SSL" in kind or "Certificate" in kind:
        return "the certificate of the server is not trusted here"
    if isinstance(error, TimeoutError):
        return "the server does not answer in time"
    if isinstance(error, OSError) or "Connect" in kind:
        return "there is no connection to the server"
    return kind
