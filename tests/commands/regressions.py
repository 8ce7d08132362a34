"""What is asked of runs of regressions, whether rows stand alone or in groups."""

import csv
from io import StringIO

import numpy as np

from em_cli.reports.regression_lines import lines
from em_cli.runs.read_back import read_run


def rows_of(text):
    return list(csv.DictReader(StringIO(text)))


def are_drawn_about_their_lines(folder, name, regressor):
    """The rows of a run, in the colours of their components, whose lines have the slopes of the coefficients."""
    run = read_run(str(folder / f"{name}.em"))
    written = rows_of((folder / f"{name}.em/responsibilities.csv").read_text())
    shown = np.array([float(written[number - 1]["p1"]) for number in run.shown.numbers])
    assert np.allclose(run.shown.responsibilities[0], shown)
    x, means, _ = lines(run, run.schema.names.index(regressor))
    slopes = np.array(run.document["coefficients"])[:, 1]
    assert np.allclose((means[:, -1] - means[:, 0]) / (x[-1] - x[0]), slopes)
    return run
