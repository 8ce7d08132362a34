"""A report in a browser: it is drawn, light and dark, on the screen and on paper, and nothing is complained of."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.image import imread
from program import em
from shown import run

from em_cli.runs.plotting import report_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--no-pdf-header-footer",
    "--force-device-scale-factor=1", "--enable-logging=stderr", "--v=0",
)  # fmt: skip
SCHEMES = {"dark": 0, "light": 1}
PROBE = """<pre id="probe"></pre><script>
const style = element => getComputedStyle(element);
const drawings = [...document.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect());
document.getElementById("probe").textContent = JSON.stringify({
  paper: style(document.body).backgroundColor, ink: style(document.body).color,
  drawings: drawings.length, flat: drawings.filter(box => box.width < 200 || box.height < 60).length,
  wide: document.documentElement.scrollWidth > innerWidth,
  cut: [...document.querySelectorAll(".wide")].filter(box => box.scrollWidth > box.clientWidth + 1).length,
  unpainted: [...document.querySelectorAll("svg path")].filter(path => style(path).fill.includes("var(")).length,
});
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("browser") / "report.html"
    file.write_text("".join(report_of(run("faithful"))), "utf-8")
    return file


def browse(page, scheme, *options):
    """What the browser said; its own troubles, as with a message bus that is not there, are none of ours."""
    profile = page.parent / f"profile-{scheme}"
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
         *options, page.as_uri()],
        capture_output=True, text=True, timeout=120, cwd=page.parent, env=os.environ | {"HOME": str(page.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints
    return done.stdout


def test_dark_on_the_screen(page):
    picture = page.parent / "dark.png"
    browse(page, "dark", f"--screenshot={picture}", "--window-size=800,1400")
    pixels = imread(picture)[..., :3]
    np.testing.assert_allclose(pixels[5, 5], np.array([0x16, 0x18, 0x1C]) / 255, atol=0.01)
    assert (pixels.max(axis=-1) > 0.85).mean() > 0.002, "there is light writing"
    for colour in ((0x3B, 0x9D, 0xDD), (0xF0, 0x80, 0x3C)):  # of the two components
        assert (np.abs(pixels - np.array(colour) / 255).max(axis=-1) < 0.05).sum() > 200
    assert not (np.abs(pixels - 1).max(axis=-1) < 0.01).mean() > 0.05, "no white boxes"


def test_light_with_every_drawing_in_its_place(page):
    """A probe is added that says how the page was laid out; on a screen as narrow as that of a telephone."""
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text("utf-8").replace("</body>", PROBE + "</body>"), "utf-8")
    said = browse(probed, "light", "--dump-dom", "--window-size=400,900")
    found = json.loads(said.split('<pre id="probe">')[1].split("</pre>")[0])
    assert found == {
        "paper": "rgb(255, 255, 255)", "ink": "rgb(34, 34, 34)", "drawings": 9, "flat": 0, "wide": False,
        "cut": 0, "unpainted": 0,
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here")
def test_no_component_is_lost_on_paper(tmp_path):
    """Means of all eight, that no line of the sentences holds, are in the tables of what is printed."""
    x = np.random.default_rng(3).normal(size=(240, 2)) + 20 * np.arange(240)[:, None] % 160
    np.savetxt(tmp_path / "d.csv", x, "%.4f", ",", header="x,y", comments="")
    em("fit", "d.csv", "-k", "8", "--effort", "low", "-q", "--report", "--out", "run.em", cwd=tmp_path)
    shutil.move(tmp_path / "run.em/report.html", tmp_path / "report.html")
    browse(tmp_path / "report.html", "light", f"--print-to-pdf={tmp_path / 'page.pdf'}")
    done = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    )
    tables = done.stdout.split("What the components look like")[1]
    lines = [line for line in tables.splitlines() if line.split()[:1] == ["weight"]]
    weights = [number for line in lines for number in re.findall(r"(?<!± )\b0\.\d{3}\b", line)]
    found = json.loads((tmp_path / "run.em/params.json").read_text())["components"]
    assert weights == [f"{one['weight']:.3f}" for one in found]
