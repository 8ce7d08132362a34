"""Every error that a user can meet, and the status with which the program then ends."""

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    DONE = 0
    INTERNAL = 1
    USAGE = 2
    DATA = 3
    OUTPUT = 4
    NO_FIT = 5
    DOUBTFUL = 6  # only with --strict
    INTERRUPTED = 130
    TERMINATED = 143
    READER_GONE = 141


class EmError(Exception):
    """A problem the user can act on; its text says what is wrong, where, and what to do."""

    status: ClassVar[ExitStatus] = ExitStatus.INTERNAL


class UsageError(EmError):
    """The options or the run configuration do not describe a run."""

    status = ExitStatus.USAGE


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


class Interrupted(BaseException):
    """A signal has ended the program before there was anything to write."""

    def __init__(self, status: ExitStatus) -> None:
        super().__init__()
        self.status = status
