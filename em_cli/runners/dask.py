"""A cluster of Dask: its workers read the rows from their file, add up groups of them, and send nothing else back.

Rows are in no worker's keeping: a sum that is lost with a worker is formed again by another, of the same rows in the
same order.
"""

from __future__ import annotations

import atexit
import logging
import pickle
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np

from em_cli import __version__
from em_cli.engine.protocols import GROUP, Answer, Item, Shared, sums_of
from em_cli.engine.rows import Source
from em_cli.errors import RunnerLost, UsageError
from em_cli.parts import Option

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 4  # groups that are asked for at a time, for each worker
CONNECT = 10  # seconds
LOOK = 0.5  # seconds between two looks whether there are workers
ENDINGS = (".json",)

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

    @property
    def needs_file(self) -> bool:
        """Whether rows must be on the disk, where others see them."""
        return True

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
        groups = (tuple(items[first : first + GROUP]) for first in range(0, len(items), GROUP))
        return self._answers(cluster, known[1], payload, groups)

    def _answers(self, cluster: Client, path: str, payload: bytes, groups: Iterator[tuple[Any, ...]]) -> Iterator[Any]:
        """In the order of the groups, of which a few are on their way at a time."""
        n_ahead = AHEAD * max(1, sum(cluster.ncores().values()))
        waiting: list[Any] = []
        while True:
            for group in islice(groups, n_ahead - len(waiting)):
                waiting.append(cluster.submit(_group_sum, path, payload, group, pure=False))
            if not waiting:
                return
            yield self._result(cluster, waiting.pop(0))

    def _result(self, cluster: Client, future: Any) -> Any:
        from distributed import CancelledError, TimeoutError
        from distributed.comm.core import CommClosedError

        since = time.monotonic()
        while True:
            try:
                return future.result(timeout=LOOK)
            except TimeoutError:
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


def _group_sum(path: str, payload: bytes, items: Sequence[Any]) -> Any:
    """On a worker: the sum over some blocks, in their order."""
    task, add, shared = pickle.loads(payload)
    source = _source(path)
    (total,) = sums_of((task(source, shared, item) for item in items), add)
    return total


@lru_cache(4)
def _source(path: str) -> Source:
    source: Source = pickle.loads(Path(path).read_bytes())
    return source


def _about(place: str) -> dict[str, str]:
    """What a worker is, and whether it sees the rows."""
    return {
        "em": __version__,
        "NumPy": np.__version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "the rows": place if Path(place).is_file() else "not to be seen",
    }


_clients: dict[str, Client] = {}
_checked: set[tuple[str, str]] = set()  # address and place


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
    dask.config.set({"distributed.scheduler.allowed-failures": 1000, "distributed.admin.tick.limit": "1h"})
    try:
        if key.isdecimal():
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


def _n_workers(cluster: Client) -> int:
    return len(cluster.scheduler_info(n_workers=-1)["workers"])


def _check_workers(cluster: Client, place: str) -> None:
    """`UsageError` names the first worker that is not like this program, or does not see the rows."""
    if (str(id(cluster)), place) in _checked:
        return
    own = _about(place)
    for worker, told in cluster.run(_about, place).items():
        for what, mine in own.items():
            if told[what] != mine:
                raise UsageError(
                    f"--dask: worker {worker} has another {what}: {told[what]}, and here it is {mine}. "
                    + (
                        "Name a folder that all of them see by --cache."
                        if what == "the rows"
                        else "All of them must be alike for equal bits."
                    )
                )
    _checked.add((str(id(cluster)), place))
