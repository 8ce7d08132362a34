"""The recipe of the guide for a container, built of this tree where Docker is there."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from program import ROOT, SAMPLES

RECIPE = re.search(r"```dockerfile\n(.*?)```", (ROOT / "em_cli" / "guide" / "many.md").read_text("utf-8"), re.S)
PACKAGE = '"em-cli[plots,parquet]"'


def done(*arguments, cwd):
    return subprocess.run([str(each) for each in arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout


def docker_answers() -> bool:
    return (
        shutil.which("docker") is not None and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    )


def test_the_recipe_installs_the_program_and_runs_it():
    assert RECIPE and PACKAGE in RECIPE[1] and RECIPE[1].splitlines()[-1] == 'ENTRYPOINT ["em"]'


@pytest.mark.skipif(not docker_answers(), reason="no Docker answers here: the container of the guide is not built")
def test_a_container_made_by_the_recipe_fits(tmp_path):
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    own = f'COPY {wheel.name} /\nRUN pip install --no-cache-dir "/{wheel.name}[plots,parquet]"'
    recipe = RECIPE[1].replace(f"RUN pip install --no-cache-dir {PACKAGE}", own)
    assert wheel.name in recipe
    (tmp_path / "Dockerfile").write_text(recipe)
    shutil.copy(SAMPLES / "faithful.csv", tmp_path / "data.csv")
    done("docker", "build", "-t", "em-of-tests", ".", cwd=tmp_path)
    run = "docker", "run", "--rm", "-v", f"{tmp_path}:/data", "em-of-tests"
    fitted = done(*run, "fit", "data.csv", "-k", "2", "--out", "fit.em", cwd=tmp_path)
    assert json.loads(fitted)["n_components"] == 2
    assert (tmp_path / "fit.em" / "params.json").is_file()
