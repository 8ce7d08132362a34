"""Two threads beside one, in wall time: what em gains, and what the machine has to give.

Two processes that share nothing gain all that two cores can give at this moment; where they
gain much less than 2, the machine is busy and the first figure says little.
"""

from __future__ import annotations

import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench import Table, load, one_thread, walled
from passes import BIGGEST, Ours, ours_on

from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads

PASSES = 6  # of one turn
TURNS = 7
WANTED = 1.6
TWO = Threads(2)

_kept: list[Ours] = []  # of a worker process


def prepare() -> None:
    one_thread()
    _kept.append(ours_on(BIGGEST.rows(), BIGGEST, "full"))


def work() -> None:
    _kept[0].steps(PASSES)


def processes() -> float:
    """Times the work that two processes do in the time of one."""
    gains = []
    with ProcessPoolExecutor(2, get_context("spawn"), prepare) as pool:

        def together(count: int) -> None:
            for done in [pool.submit(work) for _ in range(count)]:
                done.result()

        together(2)
        for _ in range(TURNS):
            alone, _ = walled(lambda: together(1))
            both, _ = walled(lambda: together(2))
            gains.append(2 * alone / both)
    return statistics.median(gains)


def threads() -> tuple[float, float, float]:
    """Seconds per pass on one thread and on two, and the gain."""
    ours = ours_on(BIGGEST.rows(), BIGGEST, "full")
    turns = []
    for _ in range(1 + TURNS):
        seconds = []
        for runner in (Serial(), TWO):
            ours.runner = runner
            seconds.append(walled(lambda: ours.steps(PASSES))[0] / PASSES)
        turns.append(seconds)
    one, two = (statistics.median(turn[i] for turn in turns[1:]) for i in (0, 1))
    return one, two, statistics.median(a / b for a, b in turns[1:])


def main() -> None:
    one_thread()
    table = Table("Two threads, wall time of a pass", ("what", "one, ms", "two, ms", "gain", "wanted", "load"))
    table.row("two independent processes", "", "", f"{processes():.2f}", "2 on a quiet machine", load())
    one, two, gain = threads()
    table.row(f"full {BIGGEST.name}", 1e3 * one, 1e3 * two, f"{gain:.2f}", table.at_least(gain, WANTED), load())
    table.close()


if __name__ == "__main__":
    main()
