"""A cluster of Dask: its workers read the rows from their file, add up groups of them, and send nothing else back.

Rows are in no worker's keeping: a sum that is lost with a worker is formed again by another, of the same rows in the
same order.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import pickle
import platform
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import chain, islice, takewhile
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from em_cli import __version__
from em_cli.engine.protocols import GROUP, Answer, Item, Shared, Work, sums_of
from em_cli.engine.rows import Source
from em_cli.errors import RunnerLost, UsageError
from em_cli.parts import Option

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 2  # tasks that are on their way at a time, for each worker
MOST_GROUPS = 64  # whose sums are one task, so that not too much is lost with a worker
CONNECT = 10  # seconds
LOOK = 2.0  # seconds between two looks whether there are workers, at most
SHORTEST = 0.1  # and at least
FETCH = 30.0  # seconds for answers to arrive that are there
ENDINGS = (".json",)
GROWING = (".rows", ".read")  # ends of the names of files of rows, which grow
SETTINGS = {  # of Dask, in which what it looks at time and again, for its own pages, takes two thirds of its CPU
    "distributed.scheduler.allowed-failures": 1000,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "2s",
}
ADVICE = {
    True: "Name a folder that all of them see by --cache.",
    False: "Name the data by a path at which all of them see the same file.",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dask:
    address: Annotated[
        int | str, Option("so many processes here, or a cluster: tcp://host:8786, or its scheduler file")
    ] = 2
    wait: Annotated[float, Option("seconds without any worker, after which the run ends", least=0)] = 60.0
    _sources: dict[int, tuple[Source, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def at_once(self) -> int:
        return 1  # in this process

    def map(
        self, task: Callable[[Source, Shared, Item], Answer], source: Source, shared: Shared, items: Iterable[Item]
    ) -> Iterator[Answer]:
        """Here: what is mapped and not summed is small."""
        return (task(source, shared, item) for item in items)

    def sums(
        self,
        task: Callable[[Source, Shared, Item], list[T]],
        add: Callable[[T, T], T],
        source: Source,
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[T]:
        """By the workers, where all rows are on the disk; a sample, or what is no more than one group, here."""
        place = source.place
        if place is None or len(items) <= 1:
            return sums_of((task(source, shared, item) for item in items), add)
        cluster = _client(self.address)
        _check_workers(cluster, place)
        known = self._sources.get(id(source))
        if known is None:
            path = f"{place}.{len(self._sources)}.source"
            Path(path).write_bytes(pickle.dumps(source))
            known = self._sources[id(source)] = source, path
        payload = pickle.dumps((task, add, shared))
        n_groups = -(-len(items) // GROUP)
        size = GROUP * min(MOST_GROUPS, -(-n_groups // _n_cores(cluster)))
        parts = (items[first : first + size] for first in range(0, len(items), size))
        answers = self._answers(cluster, partial(_group_sums, known[1], payload), parts)
        return (total for _, totals in answers for total in totals)

    def in_order(self, task: Callable[[Work], Answer], items: Iterable[Work]) -> Iterator[tuple[Work, Answer | None]]:
        """The items and their answers, None of a task that failed; workers must see the `files` of the first."""
        todo = iter(items)
        first = next(todo, None)
        if first is None:
            return iter(())
        cluster = _client(self.address)
        _check_workers(cluster, *first.files)
        return self._answers(cluster, partial(_tried, task), chain([first], todo))

    def _answers(self, cluster: Client, task: Callable[[T], object], items: Iterator[T]) -> Iterator[tuple[T, Any]]:
        """In the order of the items, of which some are on their way at a time.

        What costs who asks is messages: tasks are set together, and all answers that are there are fetched together.
        """
        n_ahead, at_end = AHEAD * _n_cores(cluster), False
        waiting: deque[tuple[T, Any]] = deque()
        answered: list[Any] = []  # which are forgotten, there too, when others are set
        while True:
            if not at_end and len(waiting) <= n_ahead // 2:
                more = list(islice(items, n_ahead + 1 - len(waiting)))
                at_end = len(waiting) + len(more) <= n_ahead
                waiting.extend(zip(more, cluster.map(task, more, pure=False), strict=True))
                answered = []
            if not waiting:
                return
            for answer in self._first(cluster, [future for _, future in waiting], len(waiting) if at_end else 1):
                item, future = waiting.popleft()
                answered.append(future)
                yield item, answer

    def _first(self, cluster: Client, futures: list[Any], n: int) -> list[Any]:
        """The answers to the first n tasks, and those that are there behind them."""
        from distributed import CancelledError, TimeoutError
        from distributed.comm.core import CommClosedError

        since, look = time.monotonic(), min(LOOK, max(self.wait, SHORTEST))
        while True:
            try:
                found: list[Any] = cluster.sync(_fetched, cluster, futures, n, look)
                return found
            except (TimeoutError, UnboundLocalError):  # the latter where the client gave up waiting, of its own
                _replace_lost(cluster, self.address)
                if _n_workers(cluster):
                    since = time.monotonic()
                elif time.monotonic() - since >= self.wait:
                    raise RunnerLost(
                        f"the cluster at {self.address} has had no worker for {self.wait:g} s. The same command with "
                        "--resume goes on, also without --dask; --dask-wait waits longer."
                    ) from None
            except (CancelledError, CommClosedError, OSError) as error:
                raise RunnerLost(
                    f"the scheduler of the cluster at {self.address} is not there any more "
                    f"({type(error).__name__}). The same command with --resume goes on, also without --dask."
                ) from None


async def _fetched(cluster: Client, futures: list[Any], n: int, look: float) -> list[Any]:
    """When the first n are there: these, and those that are there behind them."""
    from distributed import wait

    await wait(futures[:n], timeout=look)
    there = list(takewhile(lambda future: future.done(), futures))
    found: list[Any] = await asyncio.wait_for(cluster.gather(there, asynchronous=True), FETCH)
    return found


def _tried(task: Callable[[T], Answer], item: T) -> Answer | None:
    """On a worker: an answer, or None where something stands in the way, which shows where the task was set."""
    try:
        return task(item)
    except Exception:
        return None


def _group_sums(path: str, payload: bytes, items: Sequence[object]) -> list[object]:
    """On a worker: the sums of groups of blocks, in their order."""
    task, add, shared = pickle.loads(payload)
    source = _source(path)
    return list(sums_of((task(source, shared, item) for item in items), add))


@lru_cache(4)
def _source(path: str) -> Source:
    source: Source = pickle.loads(Path(path).read_bytes())
    return source


def _about(places: Sequence[str]) -> dict[str, str]:
    """What a worker is, and whether it sees these files."""
    return {
        "em": __version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name.lower()) for name in ("NumPy", "SciPy", "pandas")},
        **{place: _seen(Path(place)) for place in places},
    }


def _seen(place: Path) -> str:
    if not place.is_file():
        return "not to be seen"
    return "there" if place.suffix in GROWING else f"a file of {place.stat().st_size:,} bytes"


_clients: dict[str, Client] = {}
_checked: set[tuple[int, tuple[str, ...]]] = set()  # clients and files


def _client(address: int | str) -> Client:
    """Of a cluster; one of so many processes is started once, and ends with this process."""
    key = str(address)
    if key in _clients:
        return _clients[key]
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError('--dask needs pip install "em-cli[dask]".') from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    dask.config.set(SETTINGS)
    try:
        if key.isdecimal():
            with _unheard():
                cluster = LocalCluster(
                    n_workers=int(key),
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            found = Client(cluster)
            atexit.register(cluster.close)
        elif key.endswith(ENDINGS):
            found = Client(scheduler_file=key, timeout=CONNECT)
        else:
            found = Client(key, timeout=CONNECT)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--dask {key}: there is no cluster ({type(error).__name__}). Name its scheduler as tcp://host:8786 or by "
            "its scheduler file, or give a number of processes to start here."
        ) from None
    atexit.register(found.close)
    _clients[key] = found
    return found


@contextmanager
def _unheard() -> Iterator[None]:
    """Ctrl-C waits, and threads and processes that begin meanwhile never hear it: who started them ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which unblocks Ctrl-C where it begins, otherwise with the first process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _n_cores(cluster: Client) -> int:
    own = _scheduler_here(cluster)
    n_cores: int = sum(cluster.ncores().values()) if own is None else own.total_nthreads
    return max(1, n_cores)


def _n_workers(cluster: Client) -> int:
    own = _scheduler_here(cluster)
    return len(cluster.scheduler_info(n_workers=-1)["workers"] if own is None else own.workers)


def _replace_lost(cluster: Client, address: int | str) -> None:
    """Start anew processes here that are gone for good: those that were killed while they began."""
    own = cluster.cluster
    if str(address).isdecimal() and len(own.workers) < int(address):
        own.scale(int(address))


def _scheduler_here(cluster: Client) -> Any:
    """The scheduler, if it is part of this process, and need not be asked by messages; else None."""
    return getattr(cluster.cluster, "scheduler", None)


def _check_workers(cluster: Client, *places: str) -> None:
    """`UsageError` names the first worker that is not like this program, or does not see these files.

    Of a worker that is lost while it is asked nothing is known, and nothing wanted.
    """
    if (id(cluster), places) in _checked:
        return
    own = _about(places)
    found = cluster.run(_about, places, on_error="return")
    for worker, told in found.items():
        if isinstance(told, OSError):
            continue
        if isinstance(told, Exception):
            raise UsageError(
                f"--dask: worker {worker} cannot be asked what it is ({type(told).__name__}: {told}). It needs the "
                "same em as here, and its libraries."
            )
        for what, mine in own.items():
            if told[what] != mine:
                if what not in places:
                    differs = f"has another {what}: {told[what]}, and here it is {mine}. All of them must be alike"
                    raise UsageError(f"--dask: worker {worker} {differs} for equal bits.")
                raise UsageError(
                    f"--dask: worker {worker} does not see {what} as it is here: {told[what]} there, {mine} here. "
                    + ADVICE[Path(what).suffix in GROWING]
                )
    if not any(isinstance(told, OSError) for told in found.values()):
        _checked.add((id(cluster), places))
