"""Topics: the highest bounds known, and those of scikit-learn with its defaults."""

import json
from pathlib import Path
from statistics import median

import pytest
from program import SAMPLES, em

REFERENCE = Path(__file__).parents[1] / "reference"
CASES = json.loads((REFERENCE / "topics.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_median_seed_comes_near_the_best_known_and_above_scikit_learn(case, tmp_path):
    file = next(f for f in (REFERENCE / "data" / case["file"], SAMPLES / case["file"]) if f.exists())
    prior = ("--set", f"latent.alpha={case['alpha']}", "--set", f"latent.eta={case['eta']}")
    found = []
    for seed in range(3):
        done = em(
            *(
                "fit",
                file,
                "-k",
                case["k"],
                "--latent",
                "topics",
                *prior,
                "--effort",
                "low",
                "--seed",
                seed,
                "--json",
                "-q",
            ),
            cwd=tmp_path,
        )
        found.append(json.loads(done.out)["elbo"])
    assert median(found) >= case["elbo"] * 1.005
    assert median(found) > case["scikit_learn_best_of_five"]
