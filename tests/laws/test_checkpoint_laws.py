"""A run that goes on from what it remembers ends with the same bits as one that never stopped."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from cases import CLIMBING_CASES
from structures import MarkovChain
from support import OF_SEARCHES, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.checkpoint import Checkpointed, Packed, packed_results
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.fit import fit
from em_cli.engine.stopping import Stopping
from em_cli.outputs.framing import from_bytes, to_bytes
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory


@dataclass
class Notebook:
    """Keeps what a file would keep, after each pass up to a last one; it begins with what another one kept."""

    passes: int
    past: Checkpointed = field(default_factory=Checkpointed)
    ends: list[tuple[int, Packed]] = field(default_factory=list)
    kept: Checkpointed = field(default_factory=Checkpointed)

    def begin(self) -> Checkpointed:
        return self.past

    def ended(self, search: int, results: list[FitResult]) -> None:
        self.ends.append((search, written(packed_results(results))))

    def due(self) -> bool:
        self.passes -= 1
        return self.passes >= 0

    def keep(self, on_the_way: Packed) -> None:
        self.kept = Checkpointed(tuple(self.ends), written(on_the_way))

    def close(self) -> None:
        raise AssertionError("nothing cuts these climbs short")


def written(packed: Packed) -> Packed:
    ((again, _),) = from_bytes(to_bytes(packed))
    return again


def bits(results: list[FitResult]):
    return [
        (r.trace, r.objective, r.stages, r.log_likelihoods, r.status, r.remaining, r.weight.tobytes(), packed_arrays(r))
        for r in sorted(results, key=number)
    ]


def number(result: FitResult) -> int:
    return result.candidate.number


def packed_arrays(result: FitResult) -> list[bytes]:
    packed = Packed()
    packed.put(result.parameters)
    return [np.asarray(array).tobytes() for array in packed.arrays]


@pytest.mark.parametrize(
    ("algorithm", "case"),
    [(a, c) for a in ALGORITHMS for c in CLIMBING_CASES if a in OF_SEARCHES or c.name in ("gaussian-full", "gamma")],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_run_goes_on_with_the_same_bits(case, algorithm):
    x, labels = case.rows(3, 90, 2.0)
    model = case.model(x, 3, latent="noise" if case.name == "gaussian-full" else "independent")
    begun = [start(model, x, responsibilities(seed, labels % 3, 3, 0.6)) for seed in range(3)]
    goes_on([Candidate(model, ALGORITHMS.load(algorithm)(), one, n) for n, one in enumerate(begun)], InMemory(x))


@pytest.mark.parametrize("algorithm", OF_SEARCHES)
def test_a_run_over_groups_goes_on_with_the_same_bits(algorithm):
    """The statistics of a Markov chain are more than one array."""
    case = next(case for case in CLIMBING_CASES if case.name == "gaussian-full")
    x, labels = case.rows(3, 90, 2.0)
    model = replace(case.model(x, 3), latent=MarkovChain())
    begun = [start(model, x, responsibilities(seed, labels % 3, 3, 0.6)) for seed in range(3)]
    source = InMemory(x, groups=np.array([0, 20, 21, 60, 90]))
    goes_on([Candidate(model, ALGORITHMS.load(algorithm)(), one, n) for n, one in enumerate(begun)], source)


def goes_on(candidates, source):
    def run(notebook):
        return fit(candidates, source, Serial(), Stopping(1e-4, 25), checkpoint=notebook)

    whole = bits(fit(candidates, source, Serial(), Stopping(1e-4, 25)))
    for passes in (1, 9):
        first = Notebook(passes)
        assert bits(run(first)) == whole
        second = Notebook(3, first.kept)
        assert bits(run(second)) == whole
        assert bits(run(Notebook(0, second.kept))) == whole  # killed twice


def test_frames_keep_the_order_of_axes_and_know_when_they_are_torn():
    arrays = [np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1), np.float64(3.5), np.array([True]), np.empty((0, 2))]
    content = to_bytes(Packed({"a": [1, float("inf")]}, arrays))
    ((again, end),) = from_bytes(content)
    assert again.facts == {"a": [1, float("inf")]} and end == len(content)
    for before, after in zip(arrays, again.arrays, strict=True):
        assert np.array_equal(before, after) and np.asarray(before).strides == after.strides
    for cut in range(0, len(content), 7):
        assert list(from_bytes(content[:cut])) == []
    damaged = bytearray(content)
    damaged[-3] ^= 1
    assert list(from_bytes(bytes(damaged))) == []
    assert [end for _, end in from_bytes(content + content[:-1])] == [len(content)]
