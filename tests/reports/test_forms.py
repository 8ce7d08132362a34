"""Forms that pictures take where others would say nothing: heat maps, profiles over items, logarithmic axes."""

import re
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from pages import Page
from program import em
from shown import figure, fitted, home, picture, run

from em_cli.reports.density import curves
from em_cli.reports.ellipses import draw_ellipses
from em_cli.reports.extents import skewed
from em_cli.reports.inline import inlined
from em_cli.reports.page import page
from em_cli.reports.picture import _metadata, drawn, pictures_of, rendered
from em_cli.reports.style import DARK, LIGHT, coded, decoded
from em_cli.reports.unlikely import LISTED


def test_means_that_would_tangle_are_colours():
    made = run("broad")
    means = np.array([[one["mean"][name] for name in made.schema.names] for one in made.document["components"]])
    with figure("broad", "profile") as drawn:
        axes = drawn.axes[0]
        numbers = [float(text.get_text()) for text in axes.texts]
        assert len(numbers) == means.size and not axes.lines
        order = np.array(numbers).reshape(means.shape)
        assert (
            np.argsort(order, axis=0, kind="stable")[-1] == np.argmax(means, axis=0)
        ).mean() > 0.9  # of rounded ones
    with figure("iris", "profile") as drawn:
        assert drawn.axes[0].lines and not drawn.axes[0].texts


def test_items_of_two_levels_are_lines():
    with figure("answers", "items") as drawn:
        lines = [line.get_ydata() for line in drawn.axes[0].lines]
        assert drawn.axes[0].get_ylabel() == "probability of yes"
    found = run("answers").document["components"]
    wanted = [[one["probabilities"][name]["yes"] for name in run("answers").schema.names] for one in found]
    assert np.allclose(lines, wanted)
    assert "yes in each component" in picture("answers", "items").caption


@pytest.mark.parametrize("kind", ["density", "scatter"])
def test_long_tails_are_drawn_on_a_logarithmic_axis(kind):
    made = run("money")
    assert skewed(made, 0) and not skewed(made, 1)
    with figure("money", kind) as drawn:
        drawn.draw_without_rendering()
        axes = {each.get_xlabel(): each for each in drawn.axes if each.get_xlabel()}
        assert axes["spend"].get_xscale() == "log"
        told = [tick.get_text() for tick in axes["spend"].get_xticklabels()]
        assert {"1", "10", "100", "1,000"} <= set(told) and not any("$" in label for label in told)
        assert all(each.get_xscale() == each.get_yscale() == "linear" for name, each in axes.items() if name != "spend")
    assert "On a logarithmic axis" in picture("money", kind).caption


def test_densities_along_a_logarithmic_axis_are_those_of_the_logarithm():
    made = run("money")
    drawn = curves(made, 0)
    assert np.trapezoid(drawn.mixture, np.log(drawn.x)) == pytest.approx(1, abs=0.02)
    plain = made.weights @ np.exp(made.log_density([0], drawn.x[None]))
    assert np.allclose(drawn.mixture, plain * drawn.x)


@pytest.mark.parametrize("up", ["linear", "log"])
def test_ellipses_bend_along_logarithmic_axes(up):
    """Every point of a line is as many standard deviations away as along linear axes."""
    mean, matrix = np.array([3.0, 2.0]), np.array([[4.0, 1.0], [1.0, 1.0]])
    axes = Figure().add_subplot()
    axes.set(xscale="log", yscale=up)
    draw_ellipses(axes, run("faithful"), LIGHT, mean[None], matrix[None], (1.0, 2.0))
    for size, patch in zip((1.0, 2.0), axes.patches, strict=True):
        away = patch.get_path().vertices.T - mean[:, None]
        away = away[:, ~np.isnan(away).any(axis=0)]
        assert away.shape[1] > 60 and (away[0] > -mean[0]).all()
        assert np.einsum("im,ij,jm->m", away, np.linalg.inv(matrix), away) == pytest.approx(size**2)


def test_one_component_has_no_figures_that_say_nothing():
    assert {made.kind for made in pictures_of(run("alone"))} == {"density", "scatter", "qq"}
    assert "there is one component" in em("plot", "alone.em", "--kind", "sizes", cwd=home(), status=2).err


def test_pictures_without_a_title_or_with_another(tmp_path):
    fitted("money")
    for title in (None, "none", "Figure 2"):
        said = () if title is None else ("--title", title)
        em("plot", "money.em", "--kind", "sizes", "--format", "svg", *said, "-o", tmp_path / f"{title}", cwd=home())
    own, none, other = ((tmp_path / name / "sizes.svg").read_text() for name in ("None", "none", "Figure 2"))
    assert len(none) < len(other) < len(own)
    assert "<!-- Figure 2 -->" in other and "<!-- money.csv: sizes" in own and "<!-- money.csv" not in none
    assert all("money.csv: sizes of the components" in text for text in (none, other))  # what it is called within


def test_a_picture_is_drawn_once_for_both_schemes():
    """Each colour of a theme has a code of its own, and a code is no colour of the other scheme."""
    theme = coded()
    names = ("ink", "paper", "faint", "shade", "noise", "low", "high", "under", "accent")
    codes = [*theme.colours, *(getattr(theme, name) for name in names)]
    assert len(set(codes)) == len(codes)
    for own in (LIGHT, DARK):
        assert [decoded(code, own) for code in codes] == [*own.colours, *(getattr(own, name) for name in names)]
        assert decoded("#107f00", own) != own.low and decoded("#10007f", own) != decoded("#107f00", own)
        assert decoded("#c0ffee", own) == "#c0ffee"
    colours = {}
    drawn = inlined(picture("penguins", "levels"), 0, colours)
    assert "<image" not in drawn and "var(--c" in drawn and not set(re.findall("#[0-9a-f]{6}", drawn)) & set(codes)
    assert {light for light, _ in colours} >= {LIGHT.ink, LIGHT.faint} and {dark for _, dark in colours} >= {DARK.ink}


def test_the_least_likely_rows_are_listed():
    found = run("noisy")
    made = Page("".join(page(run("faithful"), "", "")))
    assert "Least likely rows" in made.said("h2")
    rows = made.source[made.source.index(f"The {LISTED} least likely rows") :]
    listed = [int(number) for number in re.findall(r'<th scope="row">(\d+)</th>', rows)[:LISTED]]
    shown = run("faithful").shown
    assert listed == shown.numbers[np.argsort(shown.log_density)][:LISTED].tolist()
    tails = [float(value) for value in re.findall(r'<data value="([^"]+)"', rows)[:LISTED]]
    assert tails == sorted(tails) and 0 < tails[0] < 0.05
    assert "Least likely rows" in "".join(page(found, "", ""))
    assert "Least likely rows" not in "".join(page(run("quakes"), "", ""))  # rows that follow each other


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_everything_has_the_place_that_saving_gives_it(format):
    """Although it is drawn once, and not once more for that."""
    made, saved = picture("faithful", "sizes"), BytesIO()
    with drawn(made, LIGHT) as figure_of_it:
        figure_of_it.savefig(saved, format=format, dpi=60, metadata=_metadata(made, format))
    assert rendered(made, LIGHT, format, 60) == saved.getvalue()
