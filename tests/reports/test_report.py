"""`em report`: everything of a run on one page."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pages import Page, check
from program import ENVIRONMENT, em
from shown import fitted, home, run

from em_cli.reports.answer import sentences
from em_cli.reports.html import tag, text
from em_cli.reports.numbers import percent, significant, spread
from em_cli.reports.picture import pictures_of
from em_cli.reports.style import THEMES
from em_cli.reports.stylesheet import PANELS
from em_cli.runs.plotting import report_of
from em_cli.runs.read_back import read_run

SECTIONS = [
    "In short", "What was asked and read", "What the components look like", "How far to trust it", "The search",
    "How to reproduce this",
]  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>",
    "a&b\"'<i>",
    "\x1b[31mred\u202e",
    "--><svg onload=alert(1)>",
    "x</title></style>",
]


@cache
def page_of(name):
    return Page("".join(report_of(run(name))))


@pytest.mark.parametrize("name", ["faithful", "penguins", "noisy", "swept", "wind"])
def test_pages_are_whole_and_accessible(name):
    page = page_of(name)
    check(page)
    headings = page.said("h2")
    assert [heading for heading in SECTIONS if heading in headings] == SECTIONS
    assert ("Which model" in headings) == (name == "swept")
    assert ("Warnings" in headings) == bool(run(name).document["warnings"])


def test_numbers_are_those_of_the_model():
    page, document = page_of("penguins"), run("penguins").document
    values = [float(attributes["value"]) for attributes in page.all("data")]
    for component in document["components"]:
        assert component["weight"] in values
        assert all(mean in values for mean in component["mean"].values())
        assert all(p in values for levels in component["probabilities"].values() for p in levels.values() if p > 0.01)
    assert f"{document['log_likelihood']:.3f}" in page.words and f"BIC {document['bic']:.3f}" in page.words
    assert document["data_sha256"] in page.words and document["config_sha256"] in page.words
    (warning,) = document["warnings"]
    assert warning["message"] in page.words and "What to do:" in page.words


def test_the_answer_at_a_glance():
    said = " ".join(page_of("faithful").words.split())
    answer = said[said.index("The 272 rows") : said.index("What was asked", said.index("The 272 rows"))]
    assert "were divided into two groups" in answer
    for said in (
        "component 1: weight 0.64; likeliest for 175 rows, 64 %: high eruptions, 4.290 (0.412); high waiting",
        "component 2: weight 0.36; likeliest for 97 rows, 36 %: low eruptions, 2.036 (0.263); low waiting",
    ):
        assert said in answer.replace(" :", ":")
    assert "clearly apart" in answer


def test_the_table_of_components_shows_standard_errors():
    words = " ".join(page_of("faithful").words.split())
    assert "mean ± standard error (standard deviation)" in words
    for cell in ("0.644 ± 0.029", "4.290 ± 0.031 (0.41)", "54.48 ± 0.59 (5.8)"):
        assert cell in words, cell


def test_headlines_carry_doubt():
    """Six of one to six, found once, by which few rows are certain, are no six groups."""
    found = run("swept")
    k = found.k
    selection = [row for row in found.selection if row["k"] <= k]
    warnings = [{"code": code, "message": ""} for code in ("edge_of_range", "reached_once")]
    unsure = replace(found.shown, responsibilities=np.full_like(found.shown.responsibilities, 1 / k))
    doubtful = replace(
        found, selection=tuple(selection), document=dict(found.document) | {"warnings": warnings}, rows=unsure
    )
    said = " ".join(str(sentences(doubtful, "")).split())
    assert "best described by <strong>at least three groups</strong>, as far as tried" in said
    assert "3 is the most that was tried; this solution was found once only; just 0 % of the rows" in said
    plain = str(sentences(run("faithful"), ""))
    rivals = [row | {"clear": None if row["note"].startswith("chosen") else row["k"] <= k} for row in found.selection]
    away = replace(found, selection=tuple(rivals))
    near = replace(found, selection=tuple(row | {"clear": row["k"] == k and row["clear"]} for row in rivals))
    longer = "a longer search may choose another number"
    assert longer in str(sentences(near, "")) and "away, no more than the searches may have missed" in str(
        sentences(near, "")
    )
    assert (longer in str(sentences(away, ""))) == any(row["k"] > k for row in rivals)
    assert "clearly worse" not in str(sentences(near, ""))
    assert "<strong>two groups</strong>:" in plain and "doubt" not in plain and "±" not in plain


def test_sentences_choose_the_columns_that_tell_most(tmp_path):
    """By what they say of the component, as figures do: a spread counts, a mean alike in another component does not."""
    rng = np.random.default_rng(2)
    z = rng.integers(0, 2, 300)
    wide, near = np.where(z, 20, 0.5) * rng.standard_normal(300), 0.6 * z + rng.standard_normal(300)
    churn = np.where(rng.random(300) < 0.5, "yes", "no")
    lines = [f"{a:.4f},{b:.4f},{c}" for a, b, c in zip(wide, near, churn, strict=True)]
    (tmp_path / "d.csv").write_text("\n".join(["wide,near,churn", *lines]) + "\n")
    em("fit", "d.csv", "-k", 2, "--effort", "low", "--format", "none", "-o", "d.em", cwd=tmp_path)
    said = str(sentences(read_run(str(tmp_path / "d.em"), [str(tmp_path / "d.csv")]), ""))
    assert said.count("medium wide") == 2 and "churn" not in said


def test_the_lowest_of_a_column_with_a_long_tail_is_called_low(tmp_path):
    """All but the few that spend much are near the mean of all rows, which these alone draw up."""
    rng = np.random.default_rng(7)
    size = rng.choice([30.0, 160.0, 1300.0], 600, p=[0.45, 0.37, 0.18])
    spend = size * np.exp(0.3 * rng.standard_normal(600))
    np.savetxt(tmp_path / "d.csv", np.c_[spend, 5000 - spend], "%.3f", ",", header="spend,left", comments="")
    for column, words in (("spend", ["low", "medium", "high"]), ("left", ["high", "medium", "low"])):
        name = f"{column}.em"
        em("fit", "d.csv", "-k", 3, "--columns", column, "--format", "none", "-q", "-o", name, cwd=tmp_path)
        run_here = read_run(str(tmp_path / name), [str(tmp_path / "d.csv")])
        assert re.findall(rf": (\w+) {column},", str(sentences(run_here, ""))) == words


def test_the_table_of_a_sweep():
    page, found = page_of("swept"), run("swept")
    values = [attributes["value"] for attributes in page.all("data")]
    assert all(repr(row["log_likelihood"]) in values and repr(row["bic"]) in values for row in found.selection)
    assert "BIC chooses EEE (tied) with k = 3. The runner-up, EEE (tied) with k = 4" in page.words


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run in which every name from outside would do harm if it could."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(0)
    z = rng.integers(0, 2, 60)
    lines = [",".join(f'"{name.replace(chr(34), 2 * chr(34))}"' for name in [*HOSTILE, "</option><b>"])]
    lines += [
        ",".join([*(f"{v:.3f}" for v in rng.normal(4 * k, 1, 5)), ("<img src=x onerror=alert(1)>", "a & b")[k]])
        for k in z
    ]
    (folder / "<b>&amp;.csv").write_text("\n".join(lines) + "\n")
    em("fit", "<b>&amp;.csv", "-k", 2, "--effort", "low", "--report", "--out", "run <i>.em", "-q", cwd=folder)
    return folder


def test_names_from_outside_do_no_harm(hostile):
    page = Page((hostile / "run <i>.em/report.html").read_text("utf-8"))
    check(page)
    for word in ("<script>alert(1)</script>", "a&b", "\\x1b[31mred\\u202e", "onerror=alert(1)", "<b>&amp;.csv"):
        assert word in page.words, word
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page.source)
    assert not re.search(r"<(script|img src=x|b|i|option)\b", page.source)
    for made in pictures_of(read_run(str(hostile / "run <i>.em"), [str(hostile / "<b>&amp;.csv")])):
        assert (made.title + made.caption + made.alt).isprintable(), made.kind


def test_the_same_bytes_again_and_from_the_folder(hostile):
    (folder,) = (path for path in hostile.iterdir() if path.is_dir())
    em("report", folder.name, "-o", "again.html", cwd=hostile)
    assert (hostile / "again.html").read_bytes() == (folder / "report.html").read_bytes()


def test_what_is_there_is_not_overwritten(tmp_path):
    shutil.copytree(fitted("faithful"), tmp_path / "faithful.em")
    shutil.copy(home() / "faithful.csv", tmp_path)
    assert em("report", "faithful.em", cwd=tmp_path).out == "faithful.em/report.html\n"
    written = (tmp_path / "faithful.em/report.html").read_bytes()
    assert "--force" in em("report", "faithful.em", cwd=tmp_path, status=4).err
    (tmp_path / "faithful.csv").write_text("eruptions,waiting\n1,2\n")
    assert "SHA-256" in em("report", "faithful.em", "--force", cwd=tmp_path, status=3).err
    assert (tmp_path / "faithful.em/report.html").read_bytes() == written


def test_said_before_the_fit_if_it_cannot_be_made(tmp_path):
    (tmp_path / "x.csv").write_text("x\n1\n2\n4\n8\n")
    assert (
        "--report writes into the run folder"
        in em("fit", "x.csv", "-k", 1, "--json", "--report", cwd=tmp_path, status=2).err
    )
    program = "import sys; sys.modules['matplotlib'] = None; from em_cli.app import main; main()"
    for arguments in (("fit", "x.csv", "-k", "1", "--report"), ("report", "x.em")):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 2 and "em-cli[plots]" in done.stderr
    assert not list(tmp_path.glob("x*.em"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme):
    """Of everything that is written, with what it is written on (WCAG 2, level AA)."""
    theme = THEMES[scheme]
    soft, link, panel, _ = PANELS[scheme]
    for ink in (theme.ink, soft, link):
        for paper in (theme.paper, panel):
            assert contrast(ink, paper) >= 4.5, (ink, paper)


def contrast(one, other):
    def luminance(colour):
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_markup_is_only_what_was_made_here():
    assert text("<a>&\"'") == "&lt;a&gt;&amp;&quot;&#x27;" and text("\x00<") == "\\x00&lt;"
    assert tag("p", "<b>", tag("em", "x"), class_='"') == '<p class="&quot;">&lt;b&gt;<em>x</em></p>'


def test_numbers_for_people():
    assert [spread(24.71, 18.637), spread(0.875, 0.808)] == ["24.7 (18.6)", "0.875 (0.808)"]
    assert [spread(-0.001, 1.25), spread(None, None)] == ["0.00 (1.25)", "— (—)"]
    assert [percent(p) for p in (0, 1e-9, 0.054, 0.5, 0.98, 1 - 1e-9, 1)] == [
        "0 %", "< 0.1 %", "5.4 %", "50 %", "98.0 %", "> 99.9 %", "100 %",
    ]  # fmt: skip
    assert significant(0.00001234) == "1.234e-05" and significant(float("nan")) == "—"


def test_a_sweep_of_families_tells_of_the_climbs_of_its_choice(tmp_path):
    shutil.copy(home() / "galaxies.csv", tmp_path)
    options = ("--k-range", "1-2", "--family", "gaussian,student_t", "--effort", "low", "--out", "s.em", "-q")
    em("select", "galaxies.csv", *options, cwd=tmp_path)
    found = read_run(str(tmp_path / "s.em"), [str(tmp_path / "galaxies.csv")])
    rows = [row for row in found.restarts if found.is_of_model(row["covariance"], row["k"])]
    assert sum(row["verdict"] == "best" for row in rows) == 1 and len(rows) < len(found.restarts)
    page = Page("".join(report_of(found)))
    check(page)
    assert f"What became of the {len(rows)} starts" in page.words
