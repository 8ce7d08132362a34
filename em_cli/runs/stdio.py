"""The three standard streams: none is missing, results are UTF-8, and failures are errors of this program."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from em_cli.errors import OutputError, ReaderGone, in_words

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LEAST_OPEN = 16  # files at once, the three streams and some of the libraries among them
WHOLE = "backslashreplace"  # no character stops a run


class Output(io.BufferedWriter):
    """The bytes of standard output; what has been said on it must arrive."""

    def write(self, data: ReadableBuffer) -> int:
        with _explained():
            return super().write(data)

    def flush(self) -> None:
        with _explained():
            super().flush()


class Log(io.TextIOWrapper):
    """Standard error; a run goes on without it."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        reason = "it is closed" if closed_stdout() else in_words(error)
        raise OutputError(f"standard output cannot be written: {reason}.") from None


def prepare() -> None:
    """Put the streams in order, before anything is opened: a file must not come to stand where one was closed."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):  # writing to 1 shall fail
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (by its number)
    if sys.stdout is sys.__stdout__:  # and not one that a test has put there
        encoding, each_line = _manner(sys.stdout, "utf-8")
        output = Output(io.FileIO(1, "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(output, encoding, WHOLE, "\n", line_buffering=each_line)
    if sys.stderr is sys.__stderr__:
        encoding, _ = _manner(sys.stderr, sys.stderr.encoding if sys.stderr else "utf-8")
        sys.stderr = Log(_bytes(sys.stderr, 2), encoding, WHOLE, "\n", line_buffering=True)


def check_open_files() -> None:
    """`OutputError` if so few files may be open that a run could not write what it has found."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < LEAST_OPEN:
        raise OutputError(f"only {limit} files may be open at once (ulimit -n), and em needs {LEAST_OPEN}: raise it.")


def closed_stdout() -> bool:
    """Whether there was no standard output when the program began."""
    return sys.__stdout__ is None


def settle() -> None:
    """Let nothing that could not be written be tried again when the interpreter ends."""
    try:
        sys.stdout.flush()
    except (OutputError, ReaderGone):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bytes(stream: TextIO | None, number: int) -> BinaryIO:
    if stream is None:
        return open(number, "wb", closefd=False)
    return cast(BinaryIO, cast(io.TextIOWrapper, stream).detach())


def _manner(stream: TextIO | None, encoding: str) -> tuple[str, bool]:
    """Encoding, and whether each line is to be seen at once; a terminal keeps its own encoding."""
    if stream is not None and stream.isatty():
        return stream.encoding, True
    return encoding, False
