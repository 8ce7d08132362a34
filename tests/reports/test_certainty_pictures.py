"""Pictures of how sure a run is: intervals, replicates, tests, rows left out."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from program import em
from shown import certain, figure, picture, run

from em_cli.reports.how_sure import UNKNOWN
from em_cli.reports.moments import of_mixture
from em_cli.reports.picture import drawn, pictures_of
from em_cli.reports.style import LIGHT


def lines_of(axes):
    return [np.asarray(line.get_xydata()) for line in axes.lines]


def test_intervals_are_where_they_are_said_to_be():
    found, (mean, sd) = run("certain"), of_mixture(run("certain"))
    with figure("certain", "intervals") as made:
        across = [line[:, 0] for line in lines_of(made.axes[0]) if len(line) == 2]
    for name, (low, high) in found.certainty.resampling.intervals.items():
        if name.startswith("mean["):
            d = int(name[-2]) - 1
            ends = (np.array([low, high]) - mean[d]) / sd[d]
            assert any(np.allclose(own, ends) for own in across), name
    assert "95 % intervals by 40 nonparametric replicates" in picture("certain", "intervals").caption


def test_intervals_are_by_standard_errors_where_there_are_no_replicates():
    found = run("faithful")
    (made,) = pictures_of(found, ["intervals"])
    error = found.document["standard_errors"]["observed"]["components"][0]["mean"]["waiting"]
    mean = found.document["components"][0]["mean"]["waiting"]
    assert f"({mean - 1.96 * error:.1f} to {mean + 1.96 * error:.1f})" in made.alt
    with pytest.raises(Exception, match="em fit --se observed gives standard errors"):
        pictures_of(replace(found, document=dict(found.document) | {"standard_errors": None}), ["intervals"])


def test_withheld_intervals_are_not_drawn():
    """Nor are standard errors drawn in their place."""
    found = run("certain")
    none = replace(found.certainty.resampling, intervals={}, withheld="48% of the replicates lost a component")
    with pytest.raises(Exception, match="tells no intervals: 48% of the replicates lost"):
        pictures_of(replace(found, certainty=replace(found.certainty, resampling=none)), ["intervals"])


def test_clouds_are_of_the_replicates():
    found = run("certain").certainty.resampling
    with figure("certain", "bootstrap") as made:
        clouds = [np.asarray(axes.collections[0].get_offsets()) for axes in made.axes]
        held = [axes.patches[0].get_path().transformed(axes.patches[0].get_patch_transform()) for axes in made.axes]
    for place, (cloud, shape) in enumerate(zip(clouds, held, strict=True)):
        np.testing.assert_array_equal(cloud, found.of_mean(place, [0, 1]))
        assert 0.85 <= shape.contains_points(cloud).mean() <= 1
    (alone,) = pictures_of(run("certain"), ["bootstrap"], ["waiting"])
    with drawn(alone, LIGHT) as made:
        assert sum(bar.get_height() for bar in made.axes[0].patches) == len(found.values)


def test_the_gain_in_the_data_is_drawn_beside_those_by_chance():
    tests = run("certain").certainty.tests
    with figure("certain", "tests") as made:
        first, second = made.axes
        assert [sum(bar.get_height() for bar in axes.patches if hasattr(bar, "get_height")) for axes in made.axes] == [
            19,
            19,
        ]
        assert first.get_title(loc="left") == "2 against 1: p < 0.05 (0 of 19)"
        assert not first.lines and first.get_xlim()[1] < 319, "what is far away is an arrow"
        assert [text.get_text() for text in first.texts if text.get_text()] == ["data: 319.1"]
        assert second.lines[0].get_xdata()[0] == tests[1]["statistic"] == 12.0


def test_what_is_not_there_is_said():
    bare = replace(run("faithful"), certainty=UNKNOWN)
    for kind, words in (("bootstrap", "em bootstrap makes them"), ("tests", "em select --test")):
        with pytest.raises(Exception, match=words):
            pictures_of(bare, [kind])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests.json", '{"tests": [{"k0": 1}]}'),
        ("tests.json", "[]"),
        ("bootstrap.json", "{}"),
        ("bootstrap.csv", "replicate,a,b,verdict,c,lost,x\n1,2,3,ok,4,,five\n"),
    ],
)
def test_edited_files_are_told(name, text, tmp_path):
    folder = shutil.copytree(certain(), tmp_path / "edited.em")
    (folder / name).write_text(text)
    said = em("plot", str(folder), "--kind", "intervals,tests", cwd=tmp_path, status=3).err
    assert name in said and "Was it edited?" in said


def test_rows_left_out_are_drawn_with_one_standard_error():
    row = {"model": "VVV", "covariance": "full", "note": "", "cv_gap_se": 0.0, "cv_gap": 0.0}
    rows = [
        row | {"k": 1, "cv": 40.0, "cv_per_row": -4.0, "cv_gap": 0.5, "cv_gap_se": 0.1},
        row | {"k": 2, "cv": 35.5, "cv_per_row": -3.55, "cv_gap": 0.05, "cv_gap_se": 0.1, "note": "chosen"},
        row | {"k": 3, "cv": 35.0, "cv_per_row": -3.5},
    ]
    manifest = json.loads(json.dumps(run("faithful").manifest)) | {"config": {"criterion": "cv"}}
    (made,) = pictures_of(replace(run("faithful"), selection=tuple(rows), manifest=manifest), ["criterion"])
    with drawn(made, LIGHT) as shown:
        upright = [line for line in shown.axes[0].lines if len(line.get_xdata()) == 2 and np.ptp(line.get_xdata()) == 0]
        ends = {float(line.get_xdata()[0]): (line.get_ydata()[1], line.get_linestyle()) for line in upright}
        assert ends[1.0] == (pytest.approx(-3.9), "--") and ends[2.0] == (pytest.approx(-3.45), "-")
        assert 3.0 not in ends and shown.axes[0].lines[0].get_ydata()[0] == -3.5
