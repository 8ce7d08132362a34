"""A few pictures as they were when they were last looked at: nothing large may change unseen.

After a wanted change, `python tests/reports/test_baselines.py` draws them anew. Look at them.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from shown import picture

from em_cli.reports.picture import rendered
from em_cli.reports.style import DARK, LIGHT

BASELINES = Path(__file__).parent / "baselines"
SMALL = 40  # dots per inch
WIDE = 40  # cells across in which means are compared: fonts and lines may differ a little
PICTURES = [
    ("galaxies", "density", LIGHT),
    ("faithful", "scatter", LIGHT),
    ("faithful", "scatter", DARK),
    ("iris", "pairs", LIGHT),
    ("penguins", "levels", LIGHT),
    ("swept", "criterion", DARK),
]


def name_of(run, kind, theme):
    return f"{run}-{kind}-{theme.name}.png"


def cells(pixels):
    """Means of the colours in squares."""
    side = pixels.shape[1] // WIDE
    high = pixels.shape[0] // side
    cut = pixels[: high * side, : WIDE * side, :3]
    return cut.reshape(high, side, WIDE, side, 3).mean(axis=(1, 3))


@pytest.mark.parametrize(("run", "kind", "theme"), PICTURES, ids=lambda value: getattr(value, "name", value))
def test_pictures_look_as_they_did(run, kind, theme):
    now = imread(BytesIO(rendered(picture(run, kind), theme, "png", SMALL)))
    then = imread(BASELINES / name_of(run, kind, theme))
    assert now.shape == then.shape
    apart = np.abs(cells(now) - cells(then))
    assert apart.mean() < 0.01 and np.quantile(apart, 0.99) < 0.15
    blank = np.abs(cells(now) - cells(now)[-1, 0])
    assert blank.mean() > 3 * apart.mean(), "a blank page is no better"


if __name__ == "__main__":
    BASELINES.mkdir(exist_ok=True)
    for run, kind, theme in PICTURES:
        (BASELINES / name_of(run, kind, theme)).write_bytes(rendered(picture(run, kind), theme, "png", SMALL))
