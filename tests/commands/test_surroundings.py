"""`em doctor` and `em demo`."""

import json

import numpy as np
from program import em


def test_a_bug_report_holds_versions_and_nothing_personal(tmp_path, monkeypatch):
    secret = {"EM_SEED": "31415", "HOME": str(tmp_path)}
    told = em("doctor", cwd=tmp_path, env=secret).out
    found = json.loads(em("doctor", "--json", cwd=tmp_path, env=secret).out)
    assert found["libraries"]["numpy"] == np.__version__ and np.__version__ in told
    assert "EM_SEED" in found["variables"] and "EM_SEED" in told
    assert "31415" not in told and str(tmp_path) not in told
    assert set(found["extras"]) >= {"pyarrow", "matplotlib", "zstandard"}


def test_the_demonstration_replaces_nothing(tmp_path):
    (tmp_path / "em-demo").mkdir()
    (tmp_path / "em-demo" / "mine.txt").write_text("mine")
    assert "--force" in em("demo", cwd=tmp_path, status=4).err
    assert [path.name for path in (tmp_path / "em-demo").iterdir()] == ["mine.txt"]
