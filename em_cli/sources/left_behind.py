"""Files that a process holds while it writes them, and what killed ones have left."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_own(about: os.stat_result) -> bool:
    """Whether a file is this user's, as far as the system tells."""
    return not hasattr(os, "geteuid") or about.st_uid == os.geteuid()


def hold(handle: int) -> bool:
    """Hold a file for as long as it is open; whether that could be done."""
    try:
        import fcntl
    except ImportError:  # where there are no such locks
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def left_behind(path: Path) -> Iterator[bool]:
    """Whether a plain file of this user is under no other name, and held by nobody: then it is held here.

    `OSError` if it cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        about = os.fstat(handle)
        yield stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and is_own(about) and hold(handle)
    finally:
        os.close(handle)
