"""The tail probability of a row: that of rows drawn from the model is uniform, as far as their densities differ."""

import numpy as np
import pytest
from cases import CASES, CLIMBING_CASES
from scipy import stats
from support import Case, responsibilities, start

from em_cli.engine.patterns import codes
from em_cli.engine.scoring import score_rows
from em_cli.engine.tail_probability import Densities, tail_probabilities

CONTINUOUS = {"real", "skewed", "proportion", "angle"}
ROWS, ALPHA = 3000, 0.02
BOUND = np.sqrt(np.log(2e6) / (2 * ROWS))  # one set of rows in a million is farther off (Massart 1990)
ELLIPTIC = [case for case in CASES if case.name.startswith(("gaussian-full", "gaussian-EEI-", "factor", "student_t-f"))]


def judged(case: Case, k: int, latent: str = "independent"):
    """A model, rows (D, n) drawn from it of which cells are missing where those of the data are, and their tails."""
    data, labels = case.rows(5, 200, k=max(k, 2))
    model = case.model(data, k, latent=latent)
    at = start(model, data, responsibilities(5, labels % k, k, 0.3))
    x, _ = model.sample(at, ROWS, np.random.default_rng(6))
    x[np.isnan(np.resize(data.T, (ROWS, len(data))).T)] = np.nan
    seen = Densities.of(score_rows(model, at, x).log_density, codes(x), len(x))
    return model, at, x, seen, tail_probabilities(model, at, seen, ALPHA, 0)


@pytest.mark.parametrize(
    ("case", "latent"),
    [
        *((case, "independent") for case in CLIMBING_CASES),
        *((case, "noise") for case in CLIMBING_CASES if set(case.kinds) <= CONTINUOUS and case.gaps),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_of_rows_that_are_drawn_every_share_is_as_unlikely_as_it_says(case: Case, latent):
    tails = judged(case, 2, latent)[-1]
    values = np.sort(tails.probability)
    share = np.searchsorted(values, values * (1 + 1e-12), "right") / ROWS  # where densities are equal, as many rows
    assert tails.draws and values[-1] <= 1
    assert np.abs(share - values).max() < BOUND + 2 / np.sqrt(tails.draws)
    assert abs((values <= 0.1).mean() - values[values <= 0.1].max(initial=0)) < 5 * np.sqrt(0.1 / ROWS)


@pytest.mark.parametrize("case", ELLIPTIC, ids=lambda case: case.name)
def test_of_one_elliptic_component_it_is_exact(case: Case):
    model, at, x, seen, tails = judged(case, 1)
    assert tails.draws == 0
    assert stats.kstest(tails.probability[seen.patterns.sum(axis=1)[seen.pattern] < len(x)], "uniform").pvalue > 1e-4
    drawn, _ = model.sample(at, 4000, np.random.default_rng(8))
    for place in range(0, ROWS, ROWS // 7):
        compared = np.where(np.isnan(x[:, [place]]), np.nan, drawn)
        share = (score_rows(model, at, compared).log_density <= seen.log_density[place] + 1e-9).mean()
        assert abs(share - tails.probability[place]) < 5 * np.sqrt(max(share * (1 - share), 1e-3) / 4000)


def test_a_mahalanobis_distance_is_chi_squared():
    case = next(case for case in CASES if case.name == "gaussian-full-gaps")
    model, at, x, _, tails = judged(case, 1)
    document = model.to_document(at)
    mean, covariance = np.array(document["means"][0]), np.array(document["covariances"][0])
    for place in range(0, ROWS, ROWS // 50):
        here = np.flatnonzero(~np.isnan(x[:, place]))
        away = x[here, place] - mean[here]
        squared = away @ np.linalg.solve(covariance[np.ix_(here, here)], away)
        assert np.isclose(tails.probability[place], stats.chi2.sf(squared, len(here)) if len(here) else 1, rtol=1e-9)
