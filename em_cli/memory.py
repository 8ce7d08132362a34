"""How much memory there is, as the system says; what needs more is refused before it is begun."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from em_cli.errors import DataError, EmError

MIB = 1 << 20
PROGRAM = 256 * MIB  # of addresses that the program itself takes, with its libraries
ASIDE = 64 * MIB  # of addresses for the stacks and heaps of threads
STACK = 2 * MIB  # of a thread, where addresses are limited
ONE_ARENA = -8, 1  # of mallopt(3): M_ARENA_MAX
ADVICE = "Use fewer columns (--columns), --covariance diag, a smaller -k, or --threads 1."

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
LIMITS = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))  # version 2, 1
COUNTED_IN = ("inactive_file", "total_inactive_file")  # what the kernel gives back at once
SIGNS = ("failed to map segment", "cannot allocate memory", "can't start new thread", "c error: out of memory")


def check(more: float, wanted: str) -> None:
    """`DataError` if so many bytes more are not to be had."""
    there = available()
    if there is not None and more > there:
        raise DataError(f"{wanted} needs about {size(more)} more memory; {size(there)} are available. {ADVICE}")


def check_program() -> None:
    """`DataError` if the address space is too small for the libraries, some of which would just end the process."""
    limit = address_limit()
    if limit is not None and limit < PROGRAM:
        raise DataError(
            f"out of memory: em needs {size(PROGRAM)} to begin; the limit is {size(limit)} (ulimit -v). Raise it."
        )
    if limit is not None:
        _save_addresses()


class _WithoutArrow:
    """A finder of modules: pandas finds no Arrow while it is imported, and whoever imports Arrow later finds it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        pandas = sys.modules.get("pandas")
        if name == "pyarrow" and pandas is not None and not hasattr(pandas, "DataFrame"):
            raise ModuleNotFoundError(f"{name} is left out", name=name)


def leave_out_arrow() -> None:
    """Have pandas do without what it takes along where it is installed: 40 MB and 0.1 s, of which nothing is used."""
    if "pandas" not in sys.modules and not any(isinstance(finder, _WithoutArrow) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WithoutArrow())


def _save_addresses() -> None:
    """Have threads and libraries reserve few of them, which are not memory: before there are any."""
    threading.stack_size(STACK)
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(*ONE_ARENA)


def available() -> int | None:
    """Bytes that may still be taken; None if the system does not tell."""
    found = [*_by_address_limit(), *_by_groups(), *_by_system()]
    return max(0, min(found)) if found else None


def taken() -> int:
    """Bytes that the process holds; none if the system does not tell."""
    with suppress(OSError, ValueError):
        return _pages(1)
    return 0


def give_back() -> None:
    """Let the system have what has been freed, where the C library keeps it for later."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


def address_limit() -> int | None:
    """Bytes of address space, if they are limited (ulimit -v)."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def exhausted(error: BaseException | None) -> bool:
    """Whether memory ran out, in whatever words a library says so."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if not isinstance(error, EmError) and any(sign in str(error).lower() for sign in SIGNS):
            return True
        error = error.__cause__ or error.__context__
    return False


def size(n_bytes: float) -> str:
    """In the largest unit of which there is one."""
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.1f} {name}"
    if 0 < n_bytes < MIB:
        return f"{n_bytes / 1024:,.0f} KiB" if n_bytes >= 1024 else f"{n_bytes:.0f} bytes"
    return f"{n_bytes / MIB:,.0f} MiB"


def _pages(field: int) -> int:
    """Bytes of addresses that are in use, or of memory behind them."""
    return int((PROC / "self/statm").read_text().split()[field]) * os.sysconf("SC_PAGE_SIZE")


def _by_address_limit() -> Iterator[int]:
    limit = address_limit()
    if limit is not None:
        with suppress(OSError, ValueError):
            yield limit - ASIDE - _pages(0)


def _by_groups() -> Iterator[int]:
    """By the control groups of the process and those above them; in a container, what is mounted is its own."""
    folders = {CGROUPS, CGROUPS / "memory"}
    with suppress(OSError, ValueError):
        folders |= _folders((PROC / "self/cgroup").read_text(), CGROUPS)
    for folder in folders:
        for limit, used in LIMITS:
            with suppress(OSError, ValueError):  # "max" is no number
                yield int((folder / limit).read_text()) - int((folder / used).read_text()) + _cached(folder)


@lru_cache(maxsize=1)
def _folders(told: str, groups: Path) -> set[Path]:
    """Of the control groups that the system tells of, where they are mounted."""
    folders = set[Path]()
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        base = groups / "memory" if "memory" in controllers.split(",") else groups
        own = base / path.lstrip("/")
        folders |= {folder for folder in (own, *own.parents) if folder.is_relative_to(base)}
    return folders


def _cached(folder: Path) -> int:
    with suppress(OSError, ValueError):
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return max(int(stat.get(name, 0)) for name in COUNTED_IN)
    return 0


def _by_system() -> Iterator[int]:
    with suppress(OSError, ValueError):
        for line in (PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) << 10
