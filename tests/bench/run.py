"""`make bench`: our speed and our search beside the peers', part by part.

`run.py` runs every part, `run.py PART …` some of them; each part is a program that can be run alone
and says in its first lines which words narrow it. Tables in Markdown go to standard output.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = (
    "programs", "passes", "replicates", "mixed", "missing", "threads", "stack", "memory", "large", "kills", "armadillo",
    "search", "sweep", "everyday", "algorithms", "latents", "coverage", "exports",
)  # fmt: skip


def main(asked: list[str]) -> int:
    if unknown := [name for name in asked if name not in PARTS]:
        print(f"unknown part {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    folder = Path(__file__).parent
    statuses = [subprocess.run([sys.executable, folder / f"{name}.py"]).returncode for name in asked or PARTS]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
