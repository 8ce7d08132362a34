"""Random inputs for the readers of data, run configurations and models: each is read, or refused with an `EmError`.

`python tests/fuzz/fuzz.py table|config|model SECONDS`; with atheris if that is installed, else by
plain mutation. Anything but success or refusal, ten seconds or a gigabyte is a finding: it ends
the run, and the input is left behind.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "hostile"), str(HERE.parent)]

if find_spec("atheris"):
    import atheris

    with atheris.instrument_imports(include=["em_cli"]):
        import targets
else:
    atheris = None
    import targets

LONGEST, GIGABYTE = 10.0, 1 << 20  # seconds; KiB
LENGTH = 4096  # bytes of an input


def main(target: str, seconds: int) -> None:
    examine, seeds = targets.TARGETS[target]

    def run(data: bytes) -> None:
        examine(data)

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            (Path(corpus) / f"{number:04}").write_bytes(seed[:LENGTH])
        if atheris is None:
            mutate(run, [path.read_bytes() for path in sorted(Path(corpus).iterdir())], seconds)
            return
        limits = [f"-timeout={LONGEST:.0f}", "-rss_limit_mb=1024", f"-max_total_time={seconds}", f"-max_len={LENGTH}"]
        atheris.Setup([sys.argv[0], corpus, *limits, "-print_final_stats=1", "-verbosity=0"], run)
        atheris.Fuzz()


def mutate(run: Callable[[bytes], None], seeds: list[bytes], seconds: int) -> None:
    """Seeds cut, joined and overwritten at random."""
    rng, tried, end = random.Random(0), 0, time.monotonic() + seconds
    pieces = [b'"', b"\n", b",", b"\0", b"{", b"[", b": ", b"-", b"1e308", b"null", b"\xff\xfe", b"\xc3"]
    while time.monotonic() < end:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 8)):
            at, size = rng.randint(0, len(data)), rng.randint(0, 8)
            other = rng.choice(seeds)
            start = rng.randint(0, len(other))
            data[at : at + size] = rng.choice([rng.choice(pieces), rng.randbytes(size), other[start : start + 50]])
        tried, begun = tried + 1, time.monotonic()
        try:
            run(bytes(data[:LENGTH]))
            assert time.monotonic() - begun < LONGEST, "too slow"
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < GIGABYTE, "too much memory"
        except BaseException:
            Path("finding").write_bytes(data[:LENGTH])
            raise
    print(f"{tried:,} inputs, no finding")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
