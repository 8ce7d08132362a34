"""What is drawn of a model with characters."""

import json

import numpy as np
import pytest
from display.runs import NASTY
from program import em
from rich.cells import cell_len

from em_cli.display.blocks import STANDING, axis, lying, standing, ticks, ticks_of_logarithms
from em_cli.display.densities import Curves
from em_cli.display.sketches import Criterion, Levels, Means, Sketches, room, sketches

COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#882255", "#999933"] * 3


def drawn(*columns, k=2, means=None, criterion=None, left_out=0, width=80, color=False):
    labels = [str(place + 1) for place in range(k)]
    return sketches(Sketches(labels, COLORS, columns, left_out, means, criterion), width, color)


def bells(k, n, name="x"):
    at = np.linspace(0, 10, n)
    return Curves(name, 0.0, 10.0, np.array([np.exp(-((at - 2 - 3 * place) ** 2)) / (place + 1) for place in range(k)]))


def heights(lines, first, cells):
    """Of the bars of a drawing, in eighths of a line."""
    shown = [line.ljust(first + cells)[first : first + cells] for line in lines]
    return np.sum([[STANDING.index(sign) for sign in line] for line in shown], axis=0)


def test_heights_are_those_of_the_densities():
    cells = room(80, ["1", "2"])
    curves = bells(2, cells)
    lines = drawn(curves).splitlines()
    at = lines.index(" x") + 1
    mixture = curves.densities.sum(axis=0)
    assert np.abs(heights(lines[at : at + 4], 3, cells) - 32 * mixture / mixture.max()).max() <= 0.5
    for place in range(2):
        assert lines[at + 4 + place].startswith(f" {place + 1} ")
        own = curves.densities[place]
        assert np.abs(heights([lines[at + 4 + place]], 3, cells) - 7 * own / own.max()).max() <= 0.5


def test_the_axis_says_where_the_peaks_are():
    lines = drawn(bells(1, 76), k=1).splitlines()
    line, below = lines[-2:]
    assert below.split() == ["0", "2", "4", "6", "8", "10"]
    highest = heights(lines[-6:-2], 3, 76).argmax() + 3
    assert line[below.index("2")] == "┬" and abs(below.index("2") - highest) <= 1


def test_along_a_logarithmic_axis_ticks_stand_at_their_logarithms():
    found = ticks_of_logarithms(0.5, 2e3, 6)
    assert [label for _, label in found] == ["1", "10", "100", "1,000"]
    assert [label for _, label in ticks_of_logarithms(3, 60, 6)] == ["5", "10", "20", "50"]
    assert 2 <= len(ticks_of_logarithms(1e-30, 1e30, 6)) <= 7
    line, below = axis(1, 1e4, 80, True)
    assert [at for at, sign in enumerate(line) if sign == "┬"][:3] == [0, 20, 40] and below.split()[:3] == [
        "1",
        "10",
        "100",
    ]


def test_a_long_tail_is_drawn_along_its_logarithm(tmp_path):
    """Two lognormal components, whose medians are 20 and 245: each a bell about its own."""
    rng = np.random.default_rng(1)
    z = np.arange(200) % 2
    money = np.stack([np.exp(rng.normal(3 + 2.5 * z, 1.0)), rng.normal(30 + 20 * z, 5)], axis=1)
    np.savetxt(tmp_path / "money.csv", money, "%.3f", ",", header="spend,age", comments="")
    options = ("--type", "spend=lognormal", "--effort", "low", "--se", "none", "-q", "--out", "m.em")
    em("fit", "money.csv", "-k", "2", *options, cwd=tmp_path)
    lines = em("show", "m.em", "--draw", "always", cwd=tmp_path).out.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(" spend  (logarithmic axis"))
    ticks_at = lines[first + 7]
    place = {label: lines[first + 8].index(label) + (len(label) - 1) // 2 for label in ("10", "100")}
    assert ticks_at[place["10"]] == ticks_at[place["100"]] == "┬"
    decade = place["100"] - place["10"]
    own = {line[1]: line for line in lines[first + 5 : first + 7]}
    found = json.loads((tmp_path / "m.em/params.json").read_text())["components"]
    older = max(found, key=lambda one: one["mean"]["age"])["component"]
    for label, line in own.items():
        median = 245 if label == str(older) else 20
        bell = heights([line], 3, 76)
        centre = 3 + (np.arange(76) * bell).sum() / bell.sum()
        assert abs(centre - place["10"] - decade * np.log10(median / 10)) < 0.12 * decade
    assert not any(line.startswith(" age  (log") for line in lines)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 1e6), (1e-9, 2e-9), (1e9, 1e9 + 1), (-1.5, -1.2)])
def test_ticks_are_few_and_within(low, high):
    found = ticks(low, high, 6)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high) for value, _ in found)
    line, below = axis(low, high, 70)
    assert len(line) == 70 and len(below) <= 70


def test_bars():
    assert standing([0, 0.5, 1, 2], 1) == [" ▄██"]
    assert standing([0.75], 2) == ["▄", "█"]
    assert [lying(length, 4) for length in (0, 0.5, 1, 1 / 32)] == ["    ", "██  ", "████", "▏   "]


def test_counts_are_bars_apart():
    text = drawn(Curves("n", 0, 3, np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]]), gaps=True))
    last = next(line for line in text.splitlines() if line.startswith(" 1 "))
    assert last.split() == ["1", "▂▂▂▂▂", "▄▄▄▄▄", "▅▅▅▅▅", "▇▇▇▇▇"]


def test_levels_are_bars_of_their_probabilities():
    text = drawn(Levels("sex", [{"f": 1.0, "m": 0.0}, {"f": 0.25, "m": 0.75}]))
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["sex"], ["1", "2"], ["f", "█" * 12, "1.00", "███", "0.25"], ["m", "0.00", "█" * 9, "0.75"],
    ]  # fmt: skip
    many = drawn(Levels("zip", [{str(i): 1 / 40 for i in range(40)}] * 2))
    assert "28 more levels" in many


def test_means_stand_at_their_places_and_beside_each_other():
    text = drawn(means=Means(["a", "b"], [[-1.0, 0.0], [1.0, 0.0]]))
    a, b = (next(line for line in text.splitlines() if line.startswith(f" {name} ")) for name in "ab")
    middle = a.index("┼")
    assert abs((a.index("1") - middle) + (a.index("2") - middle)) <= 1
    assert abs(b.index("1") - b.index("2")) == 1 and abs(b.index("1") - middle) <= 1


def test_criterion_has_the_best_below():
    curves = {"EEE": {1: 300.0, 2: 12.0, 3: 10.0}, "VVV": {1: 300.0, 2: 11.0, 3: float("inf")}}
    lines = drawn(criterion=Criterion("BIC", curves)).splitlines()
    last = next(line for line in lines if line.lstrip().startswith("10.0"))
    assert last.split("│")[1].split() == ["●"]
    assert "above" in next(line for line in lines if "│" in line)
    assert lines[-1].split() == ["●", "EEE", "■", "VVV"]


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("k", [1, 2, 12])
def test_nothing_is_wider_than_the_page(width, k):
    cells = room(width, [str(k)])
    curves = {f"V{letter}V": {size: float(size) for size in range(1, 41)} for letter in "ABCDEFGHIJKL"}
    text = drawn(
        bells(k, 4 * cells, "a_rather_long_name_of_a_column"),
        Curves("counts", 0, 9, np.ones((k, 10)), gaps=True),
        Levels(NASTY, [{NASTY: 0.5, "b": 0.5}] * k),
        k=k,
        means=Means([NASTY, "x" * 50], [[place - 3.0, place / 7] for place in range(k)]),
        criterion=Criterion("BIC", curves),
        width=width,
    )
    assert max(map(cell_len, text.splitlines())) <= width
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_flat_and_missing_values_do_no_harm():
    flat = Curves("x", 0.0, 1.0, np.zeros((2, 76)))
    nothing = Criterion("BIC", {"VVV": {1: float("inf"), 2: float("inf")}})
    assert drawn(flat, criterion=nothing)
    assert drawn(criterion=Criterion("BIC", {"VVV": {1: 5.0, 2: 5.0}}))


def test_colours_are_those_of_the_components(monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    text = drawn(bells(2, 76), color=True)
    assert "\x1b[38;2;0;114;178m" in text and "\x1b[38;2;213;94;0m" in text
