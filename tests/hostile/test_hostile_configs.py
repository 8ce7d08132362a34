"""Run configurations are accepted, or refused with file, line and column and the nearest right key."""

from pathlib import Path

import pytest
from refusal import em_here, refused

from configs import CONFIGS

ROWS = "eruptions,waiting\n3.6,79\n1.8,54\n3.3,74\n2.2,62\n4.5,85.5\n"


@pytest.mark.parametrize("case", CONFIGS, ids=lambda case: case.name)
def test_accepted_or_refused_in_one_message(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("f.csv").write_text(ROWS)
    Path("run.yaml").write_bytes(case.bytes)
    line = "fit -c run.yaml --dry-run -q"
    if case.expected is None:
        outcome = em_here(line)
        assert (outcome.status, outcome.err) == (0, "")
    else:
        refused(line, case.status, case.expected)
