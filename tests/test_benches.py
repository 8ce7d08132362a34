"""Every bench still knows the program that it measures: each is imported, and does a little of what it does."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from program import Outcome

BENCH = Path(__file__).parent / "bench"
PARTS = sorted(file.stem for file in BENCH.glob("*.py"))
FEW = {"n": 120, "d": 2, "k": 2}


class Part:
    """A bench that is loaded, whose sizes may be set for as long as the test lasts."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.monkeypatch, self.folder = monkeypatch, folder
        monkeypatch.syspath_prepend(BENCH)
        spec = spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
        assert spec is not None and spec.loader is not None
        self.module: ModuleType = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, self.module)
        spec.loader.exec_module(self.module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def other(self, name: str) -> ModuleType:
        """What it shares with other benches."""
        return import_module(name)

    def sized(self, **sizes: object) -> None:
        for name, size in sizes.items():
            self.monkeypatch.setattr(self.module, name, size)


def algorithms(part: Part) -> None:
    part.sized(PROBLEMS={"easy": (200, 2, 2, 4.0)})
    found = part.compared("easy", ["em", "cem"])
    assert all(stood and np.isfinite(height) for stood, height in found.values())
    stood, _ = found["em"]
    assert [passes for passes, *_ in stood] == list(range(1, len(stood) + 1)) and len(stood) > 3


def cluster(part: Part) -> None:
    part.drawn(part.folder / "data.csv", 9)
    assert len((part.folder / "data.csv").read_text().split()) == 10


def coverage(part: Part) -> None:
    part.sized(SETS=1, REPLICATES=5, TESTED={1: 1}, DRAWN=3, CHOSEN=1, MOST=2, FOLDS=3)
    two, one = part.Recipe([0.3, 0.7], [[0.0], [5.0]], 60), part.Recipe([1.0], [[0.0]], 40, "tied")
    assert set(part.covered(two)) == {"weights", "mean", "sd"}
    assert part.rejected(one) in (0.0, 1.0)
    assert part.right(two) == (1.0, 1.0)


def everyday(part: Part) -> None:
    assert part.gaps().isna().to_numpy().sum() == 884 and len(part.returns()) == 6_146
    part.sized(RUNS={"gaps": part.RUNS["gaps"]}, TURNS=1, in_process=lambda command: Outcome(0, "", ""))
    part.main(["gaps"])


def exports(part: Part) -> None:
    part.sized(N_FITTED=90, N=20, TURNS=1)
    part.main()


def large(part: Part) -> None:
    found = [part.rows_in(way, 300, part.folder) for way in part.WAYS]
    assert [rows.n_rows for rows in found] == [300] * len(part.WAYS)
    for rows in found:
        rows.store.close()


def latents(part: Part) -> None:
    model, source, at = part.begun(part.chain(200, 1), np.array([0, 80, 200]))
    after, before = part.our_iteration(model, source, part.stack([at]))
    assert part.our_iteration(model, source, after)[1] > before
    part.sized(CORPUS=(12, 9), TOPICS=2, PASSES=2)
    part.topics()


def memory(part: Part) -> None:
    assert 0 < part.peak() < 1e5


def missing(part: Part) -> None:
    part.sized(SIZE=part.Size(**FEW, wanted={}), TURNS=1)
    assert part.compare("full", 3)[3] <= 4


def mixed(part: Part) -> None:
    part.sized(N=200, TURNS=1, STEPS=1)
    assert part.our_pass(part.mixed(counts=True), *part.rows(7)) > 0


def passes(part: Part) -> None:
    part.sized(TURNS=1, TURN_ROWS=500)
    *_, apart = part.compare(part.Size(**FEW, wanted={}), "full")
    assert apart <= part.AGREEMENT


def replicates(part: Part) -> None:
    part.sized(TURNS=1)
    assert part.compare(part.Size(**FEW, replicates=5), "full")[0] >= 0


def same_bytes(part: Part) -> None:
    assert part.difference(b'{"a": 1.0}', b'{"a": 1.0}', ()) is None
    assert "1.0 → 1.5" in part.difference(b'{"a": 1.0}', b'{"a": 1.5}', ())


def search(part: Part) -> None:
    part.sized(STORE=part.folder, FIGURES=part.folder / "search.json", SEEDS=(101,))
    rng = np.random.default_rng(1)
    apart = part.other("problems").Mixture(np.array([0.5, 0.5]), np.array([[0.0], [9.0]]), np.ones((2, 1, 1)))
    problem = part.Problem("apart", apart.draw(80, rng), 2, "full", truth=apart.document("full"))
    runs, best = part.solve(problem, only_ours=False)
    assert {run.height > best - part.HIT for of_one in runs.values() for run in of_one} == {True}, "judged alike"
    assert part.solve(problem, only_ours=True)[1] == best, "from what is stored"
    part.summarise({"apart": (runs, best)}, set())


def stack(part: Part) -> None:
    part.sized(KS=range(1, 3), RESTARTS=2, TURNS=1)
    assert part.compare(part.reference_rows(*part.IRIS)[:2], "full")[3] >= 2


def sweep(part: Part) -> None:
    part.monkeypatch.setattr(part.shutil, "which", lambda name: None)
    part.sized(TURNS=1)
    tiny = part.Sweep("made", lambda: part.groups(80, 1), ("diag",), 2, share=1.0)
    table = part.Table("tiny", ("data",))
    part.measure("tiny", tiny, table, peers=True)
    assert len(table.marks) == 3
    x = tiny.rows()
    assert part.judged(x, part.theirs(x, tiny))["diag", 1] == pytest.approx(part.ours(x, tiny)["diag", 1])


def two_trees(part: Part) -> None:
    part.sized(ROWS=60, REPETITIONS=1, CLIMBS=2, KS=(2,))
    assert set(part.microseconds(["gaussian-full"])) == {"gaussian-full K=2"}


TRIED: dict[str, Callable[[Part], None]] = {
    own.__name__: own
    for own in (
        *(algorithms, cluster, coverage, everyday, exports, large, latents, memory, missing, mixed, passes),
        *(replicates, same_bytes, search, stack, sweep, two_trees),
    )
}
# whole processes, and what others use
IMPORTED = ("armadillo", "bench", "kills", "peer", "problems", "programs", "run", "threads")


@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")  # of scikit-learn
@pytest.mark.parametrize("name", PARTS)
def test_a_bench_does_what_it_did(name, monkeypatch, tmp_path):
    part = Part(name, monkeypatch, tmp_path)
    if name in TRIED:
        TRIED[name](part)


def test_every_bench_is_tried():
    assert sorted([*TRIED, *IMPORTED]) == PARTS
