"""Every error that a user can meet, and the status with which the program then ends."""

import errno
from enum import IntEnum
from typing import ClassVar

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "there is no permission",
    errno.EPERM: "it is not permitted",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.EISDIR: "it is a folder",
    errno.EFBIG: "it would be larger than the system allows",
    errno.EPIPE: "its reader has gone away",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links lead in a circle",
    errno.EIO: "the disk does not answer as it should",
    errno.EMFILE: "too many files are open for the limit that is set here (ulimit -n); 256 will do",
    errno.ENFILE: "too many files are open on this machine",
}


def in_words(error: Exception) -> str:
    """Why something is refused, by the system or as text, in our words where there are some."""
    from json import JSONDecodeError

    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.object[error.start]:#04x} is not valid in {error.encoding.upper()}"
    if isinstance(error, JSONDecodeError):
        return f"no JSON from line {error.lineno}, column {error.colno} on"
    number = error.errno if isinstance(error, OSError) else None
    return REASONS.get(number or 0) or getattr(error, "strerror", None) or str(error)


class ExitStatus(IntEnum):
    DONE = 0
    INTERNAL = 1
    USAGE = 2
    DATA = 3
    OUTPUT = 4
    NO_FIT = 5
    DOUBTFUL = 6  # only with --strict
    RUNNER_LOST = 7
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143
    READER_GONE = 141


class EmError(Exception):
    """A problem the user can act on; its text says what is wrong, where, and what to do."""

    status: ClassVar[ExitStatus] = ExitStatus.INTERNAL


class UsageError(EmError):
    """The options or the run configuration do not describe a run."""

    status = ExitStatus.USAGE


class ValueRefused(UsageError):
    """The value of an option cannot be one of the key of the configuration, of these `parts`, that it stands for."""

    def __init__(self, parts: tuple[str | int, ...], reason: str) -> None:
        super().__init__(f"{'.'.join(map(str, parts))}{reason}")
        self.parts, self.reason = parts, reason


class DataError(EmError):
    """The data or the model file cannot be used as asked."""

    status = ExitStatus.DATA


class OutputError(EmError):
    """The results cannot be written where they should go."""

    status = ExitStatus.OUTPUT


class ReaderGone(EmError):
    """Whoever read standard output has stopped; there is nobody to tell."""

    status = ExitStatus.READER_GONE


class NoFit(EmError):
    """No start gave an acceptable fit."""

    status = ExitStatus.NO_FIT


class RunnerLost(EmError):
    """Those who computed elsewhere are gone; what is remembered of the run is kept."""

    status = ExitStatus.RUNNER_LOST


class Interrupted(BaseException):
    """A signal has ended the program before there was anything to write."""

    def __init__(self, status: ExitStatus) -> None:
        super().__init__()
        self.status = status
