"""Curves, ellipses and contours are those of the densities."""

import numpy as np
import pytest
from matplotlib.patches import Ellipse
from scipy import stats
from shown import figure, run

from em_cli.reports.bins import edges
from em_cli.reports.density import curves
from em_cli.reports.ellipses import ellipse
from em_cli.reports.extents import skewed
from em_cli.reports.scatter import mixture
from em_cli.reports.style import LIGHT


def norm(own, k, j, x):
    return stats.norm.pdf(x, own["means"][k][j], np.sqrt(own["covariances"][k][j][j]))


def t(own, k, j, x):
    return stats.t.pdf(x, own["dof"][k], own["means"][k][j], np.sqrt(own["scales"][k][j][j]))


def factors(own, k, j, x):
    loadings, noise = np.array(own["loadings"][k]), own["noise_variances"][k]
    return stats.norm.pdf(x, own["means"][k][j], np.sqrt(loadings[j] @ loadings[j] + noise))


def von_mises(own, k, j, x):
    turn = 2 * np.pi / 360
    return turn * stats.vonmises.pdf(x * turn, own["concentrations"][k][j], own["means"][k][j] * turn)


def gamma(own, k, j, x):
    return stats.gamma.pdf(x, own["shapes"][k][j], scale=own["scales"][k][j])


def beta(own, k, j, x):
    return stats.beta.pdf(x, own["alphas"][k][j], own["betas"][k][j])


@pytest.mark.parametrize(
    ("name", "column", "density"),
    [
        ("galaxies", "velocity", norm),
        ("iris", "petal_length", norm),
        ("penguins", "body_mass_g", norm),
        ("robust", "petal_width", t),
        ("factors", "insulin", factors),
        ("wind", "direction", von_mises),
        ("wind", "speed [m/s]", gamma),
        ("wind", "cover", beta),
    ],
)
def test_curves_are_weighted_densities(name, column, density):
    seen = run(name)
    place = seen.schema.names.index(column)
    group, own = next(
        (group, own)
        for group, own in zip(seen.groups, seen.document.get("groups", [seen.document]), strict=True)
        if place in group.columns
    )
    drawn = curves(seen, place)
    for k, curve in enumerate(drawn.components):
        wanted = seen.weights[k] * density(own, k, group.columns.index(place), drawn.x)
        of_logarithm = drawn.x if skewed(seen, place) else 1.0
        np.testing.assert_allclose(curve, wanted * of_logarithm, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(drawn.mixture, drawn.components.sum(axis=0))


def test_noise_is_uniform_over_the_box():
    seen = run("noisy")
    drawn = curves(seen, 1)
    lowest, highest = seen.document["noise_box"][1]
    inside = (drawn.x >= lowest) & (drawn.x <= highest)
    wanted = np.where(inside, seen.document["noise"] / (highest - lowest), 0.0)
    np.testing.assert_allclose(drawn.components[2], wanted, rtol=1e-12)


def test_what_is_drawn_are_the_curves():
    drawn = curves(run("galaxies"), 0)
    with figure("galaxies", "density") as made:
        lines = made.axes[0].lines
        assert len(lines) == 5
        for line, curve in zip(lines, [*drawn.components, drawn.mixture], strict=True):
            np.testing.assert_array_equal(line.get_xdata(), drawn.x)
            np.testing.assert_array_equal(line.get_ydata(), curve)
        heights, ends, _ = made.axes[0].patches[0].get_data()
        assert (heights * np.diff(ends)).sum() == pytest.approx(1)


@pytest.mark.parametrize("values", [[3.0] * 4, [1.0, 2, 2, 9], np.arange(1900, 2007.0), np.linspace(0, 1, 5000) ** 3])
def test_bins_hold_all_values(values):
    ends = edges(np.array(values))
    assert np.histogram(values, ends)[0].sum() == len(values)
    assert 1 <= len(ends) - 1 <= 60
    assert np.diff(ends).min() == pytest.approx(np.diff(ends).max())


def test_years_have_bins_of_equally_many():
    counts, _ = np.histogram(np.arange(1900, 2008.0), edges(np.arange(1900, 2008.0)))
    assert len(set(counts)) == 1


def test_ellipses_have_the_axes_of_the_covariance():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    found = ellipse(np.zeros(2), covariance)
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(found.half_axes, np.sqrt(values[::-1]))
    larger = np.array([np.cos(np.radians(found.angle)), np.sin(np.radians(found.angle))])
    assert abs(larger @ vectors[:, 1]) == pytest.approx(1)


def test_ellipses_are_drawn_at_one_two_and_three_standard_deviations():
    document = run("faithful").document
    with figure("faithful", "scatter") as made:
        patches = [patch for patch in made.axes[0].patches if isinstance(patch, Ellipse)]
        assert len(patches) == 6
        for number, patch in enumerate(patches):
            k, size = number // 3, number % 3 + 1
            covariance = np.array(document["covariances"][k])
            np.testing.assert_allclose(patch.center, document["means"][k])
            edge = patch.get_patch_transform().transform(patch.get_path().vertices[::3])
            away = edge - document["means"][k]
            np.testing.assert_allclose(
                np.sqrt(np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)), size, rtol=1e-3
            )


def test_ellipses_of_t_components_are_those_of_the_scale_matrix():
    document = run("robust").document
    with figure("robust", "scatter", ["petal_length", "petal_width"]) as made:
        patch = next(patch for patch in made.axes[0].patches if isinstance(patch, Ellipse))
        wanted = np.sqrt(np.linalg.eigvalsh(np.array(document["scales"][0])[2:, 2:])[::-1])
        np.testing.assert_allclose([patch.width / 2, patch.height / 2], wanted)


def test_regions_of_highest_density_hold_their_share_of_the_rows():
    seen = run("faithful")
    at_rows = mixture(seen, (0, 1), seen.shown.x)
    np.testing.assert_allclose(at_rows, np.exp(seen.shown.log_density), rtol=1e-10)
    with figure("faithful", "scatter") as made:
        (levels,) = [found.levels for found in made.axes[0].collections if hasattr(found, "levels")]
        shares = [(at_rows > level).mean() for level in levels[:-1]]
        np.testing.assert_allclose(shares, [0.95, 0.75, 0.5, 0.25], atol=0.01)


def test_points_stand_where_the_rows_are_in_the_colours_of_their_components():
    seen = run("iris")
    with figure("iris", "scatter", ["sepal_length", "petal_length"]) as made:
        clouds = [found for found in made.axes[0].collections if len(found.get_offsets()) > 1]
        assert len(clouds) == 3
        for k, cloud in enumerate(clouds):
            own = seen.shown.component == k
            np.testing.assert_allclose(cloud.get_offsets(), seen.shown.x[[0, 2]][:, own].T)
            colours = cloud.get_facecolors()
            assert {tuple(np.round(c[:3] * 255)) for c in colours} == {_rgb(LIGHT.mark(k, 3).colour)}
            certainty = seen.shown.responsibilities.max(axis=0)[own]
            assert (np.diff(colours[np.argsort(certainty), 3]) >= -1e-12).all()


def _rgb(colour):
    return tuple(float(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
