"""Every file in configs/ runs, by `fit` or by `select`; templates and schema are what they promise."""

import json
import re
import shutil

import jsonschema
import pytest
import yaml
from program import ROOT, SAMPLES, em

from em_cli.config.durations import roughly
from em_cli.config.resolve import resolve
from em_cli.config.texts import fingerprint, resolved

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(SAMPLES, tmp_path / "sample_data")
    return tmp_path


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_config_runs_and_reproduces_itself(config, folder):
    k = yaml.safe_load(config.read_text())["k"]
    command = "fit" if isinstance(k, int) else "select"
    em(command, "-c", config, cwd=folder)
    (made,) = (folder / "runs").iterdir()
    written = {path.name for path in made.iterdir()}
    assert {"params.json", "responsibilities.csv", "trace.csv", "restarts.csv", "run.yaml", "manifest.json"} <= written
    assert ("selection.csv" in written) == (command == "select")
    em(command, "-c", made / "run.yaml", "--out", "again", cwd=folder)
    for name in written - {"manifest.json"}:
        assert (made / name).read_bytes() == (folder / "again" / name).read_bytes(), name


@pytest.mark.parametrize(
    "said",
    [
        {"latent": "noise"},
        {"latent": {"name": "noise", "density": 0.1}},
        {"noise": 0.2},
        {"mixing_weights": "equal"},
        {"runner": {"name": "threads", "workers": 2}},
        {"threads": 3},
    ],
    ids=str,
)
def test_a_whole_configuration_can_be_resolved_again(said, tmp_path):
    """As the manifest keeps it, whichever of two spellings was used."""
    config = resolve(None, [], {"k": 2, "data": {"path": ["d.csv"]}} | said)
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(resolved(config)))
    again = resolve(str(tmp_path / "whole.yaml"), [], {})
    assert resolved(again) == resolved(config) and fingerprint(again) == fingerprint(config)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_schema_accepts_the_configs(config, folder):
    schema = json.loads(em("config", "schema", cwd=folder).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(config.read_text()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"k": 2, "covarance": "full"}, schema)


def test_template_is_a_configuration(folder):
    em("config", "init", "sample_data/faithful.csv", "-o", "run.yaml", cwd=folder)
    em("config", "check", "run.yaml", cwd=folder)
    text = (folder / "run.yaml").read_text()
    uncommented = re.sub(r"^( *)# (?=\w+:)", r"\1", text.split("\n", 1)[1], flags=re.M)
    (folder / "all.yaml").write_text(uncommented)
    shown = em("config", "show", "all.yaml", cwd=folder).out
    assert yaml.safe_load(shown) == yaml.safe_load(em("config", "show", "run.yaml", cwd=folder).out)
    em("config", "init", "x.csv", "-o", "run.yaml", cwd=folder, status=4)


def test_dry_run_fits_nothing(folder):
    out = em("fit", "sample_data/faithful.csv", "-k", "3", "--dry-run", cwd=folder).out
    assert "272 rows" in out and "k = 3, 17 parameters" in out and "faithful-k3.em/" in out
    assert [path.name for path in folder.iterdir()] == ["sample_data"]


def test_dry_run_says_how_long_and_whether_it_would_be_refused(folder):
    line = ("fit", "sample_data/faithful.csv", "-k", "3")
    out = em(*line, "--dry-run", cwd=folder).out
    assert re.search(r"^would search for (less than a second|about \d+ s), more or less", out, re.M)
    em(*line, "-q", "--restarts", "1", cwd=folder)
    refused = "would be refused: faithful-k3.em exists, a run with another --restarts. Use --out faithful-k3-2.em"
    assert refused in em(*line, "--dry-run", cwd=folder).out
    assert "would show faithful-k3.em again" in em(*line, "--restarts", "1", "--dry-run", cwd=folder).out
    assert "would write faithful-k3.em/" in em(*line, "--dry-run", "--force", cwd=folder).out
    assert em(*line, cwd=folder, status=4).err.startswith(
        "em: error: faithful-k3.em exists, a run with another --restarts. Use --out faithful-k3-2.em"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "less than a second"),
        (3.4, "about 3 s"),
        (47, "about 50 s"),
        (89, "about 90 s"),
        (100, "about 2 min"),
        (1234, "about 20 min"),
        (6000, "about 2 h"),
        (9e5, "about 200 h"),
    ],
)
def test_rough_times(seconds, said):
    assert roughly(seconds) == said
