"""All pictures of a run: one colour for a component, words for all, names as they are."""

import re
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from shown import figure, run

from em_cli.reports import PICTURES
from em_cli.reports.picture import pictures_of
from em_cli.reports.style import DARK, LIGHT, short

DEFICIENCIES = {  # Machado, Oliveira & Fernandes (2009), of full severity, on linear light
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3),
}


def _lab(colour, seen_by):
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen_by) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / [0.9505, 1, 1.089], 1e-4))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_colours_can_be_told_apart(theme):
    for sight, seen_by in DEFICIENCIES.items():
        lab = [_lab(colour, seen_by) for colour in theme.colours]
        apart = [np.linalg.norm(a - b) for i, a in enumerate(lab) for b in lab[:i]]
        assert min(apart) > 9, f"{theme.name}, {sight}: {min(apart):.1f}"
        paper = _lab(theme.paper, seen_by)
        assert all(abs(colour[0] - paper[0]) > 20 for colour in lab), (theme.name, sight)


def test_many_components_look_different():
    marks = [LIGHT.mark(place, 30) for place in range(30)]
    assert len({(mark.colour, mark.dash) for mark in marks}) == 30
    assert len({(mark.colour, mark.marker) for mark in marks}) == 30
    assert LIGHT.mark(30, 30).colour == LIGHT.noise


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_a_component_has_one_colour_in_all_pictures(theme):
    wanted = [theme.mark(place, 2).colour for place in range(3)]
    seen = 0
    for made in pictures_of(run("noisy")):
        with figure("noisy", made.kind, theme=theme) as drawn:
            for legend in drawn.legends:
                for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
                    names = {"1": 0, "2": 1, "noise": 2}
                    if text.get_text() in names:
                        colour = handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()
                        assert to_hex(colour) == wanted[names[text.get_text()]], made.kind
                        seen += 1
            assert to_hex(drawn.get_facecolor()) == theme.paper
    assert seen > 12


@pytest.mark.parametrize(
    "name", ["noisy", "penguins", "wind", "swept", "known", "robust", "quakes", "lines", "certain"]
)
def test_every_picture_says_what_it_shows(name):
    made = pictures_of(run(name))
    assert len({picture.kind for picture in made}) == len(made)
    for picture in made:
        assert picture.caption.endswith(".") and len(picture.alt) > 20 and picture.title
        assert not re.search(r"\b(nan|inf)\b", picture.caption + picture.alt)


def test_all_kinds_are_drawn_of_some_run():
    seen = {
        picture.kind
        for name in ("iris", "penguins", "swept", "quakes", "lines", "answers", "certain")
        for picture in pictures_of(run(name))
    }
    assert seen == set(PICTURES.names())


def test_dollars_are_dollars():
    with figure("wind", "frequencies") as made:
        label = made.axes[0].xaxis.label
        assert label.get_text() == "gusts$_per_day$"
        assert not label.get_parse_math()


def test_text_stays_apart():
    """Of every picture: no two tick labels of an axis overlap, nor legend and axes."""
    some = {"certain": ("intervals", "bootstrap", "tests")}
    for name in ("penguins", "wind", "iris", "quakes", "certain"):
        for made in pictures_of(run(name), some.get(name, ())):
            with figure(name, made.kind) as drawn:
                canvas = FigureCanvasAgg(drawn)
                canvas.draw()
                renderer = canvas.get_renderer()
                for axes in drawn.axes:
                    labels = [
                        t for t in axes.get_xticklabels() if t.get_visible() and t.get_text() and not t.get_rotation()
                    ]
                    boxes = sorted((t.get_window_extent(renderer) for t in labels), key=lambda box: box.x0)
                    assert all(a.x1 <= b.x0 + 1 for a, b in pairwise(boxes)), (name, made.kind)
                for legend in drawn.legends:
                    box = legend.get_window_extent(renderer)
                    assert not any(
                        axes.axison and box.overlaps(axes.get_window_extent(renderer)) for axes in drawn.axes
                    ), (name, made.kind)


def test_names_are_shortened_in_their_middle():
    assert short("waiting") == "waiting"
    assert short("a" * 30 + "z" * 30, 12) == "a" * 7 + "…" + "z" * 4
    assert "\n" not in short("two\nlines") and "\x1b" not in short("\x1b[31mred")
