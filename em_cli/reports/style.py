"""How pictures look: colours that the colour-blind can tell apart, the same for a component in all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from em_cli.errors import UsageError
from em_cli.printable import safe
from em_cli.registry import did_you_mean

DASHES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
MARKERS = "osD^vP*X"
HATCHES = ("", "//", "..", "xx")
LONGEST = 26  # characters of a name


@dataclass(frozen=True, slots=True)
class Mark:
    """How a component is drawn."""

    colour: str
    dash: Literal["-", "--", ":", "-."]
    marker: str
    hatch: str


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of what is written, of what it is written on, and of the components (Okabe & Ito 2008; Tol 2021)."""

    name: str
    ink: str
    paper: str
    faint: str  # of grids, bars behind curves and remarks
    shade: str  # of regions, the fainter the less they hold
    noise: str
    colours: tuple[str, ...]
    low: str  # nothing, in a heat map
    high: str  # all, in a heat map; or above the middle
    under: str  # below the middle
    accent: str  # of what is marked and no component

    def mark(self, place: int, k: int) -> Mark:
        """Of the component at this place out of k; the k-th is noise. Colours return with other dashes."""
        if place == k:
            return Mark(self.noise, "-", "x", "")
        turn, colour = divmod(place, len(self.colours))
        shape = MARKERS[(place + turn) % len(MARKERS)]
        return Mark(self.colours[colour], DASHES[turn % len(DASHES)], shape, HATCHES[turn % len(HATCHES)])

    @property
    def settings(self) -> dict[str, object]:
        """What Matplotlib has to know."""
        return {
            "figure.facecolor": self.paper,
            "savefig.facecolor": self.paper,
            "axes.facecolor": self.paper,
            "axes.edgecolor": self.ink,
            "axes.labelcolor": self.ink,
            "axes.titlecolor": self.ink,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.titlesize": 10,
            "axes.labelsize": 10,
            "axes.formatter.useoffset": False,
            "axes.formatter.limits": (-5, 6),
            "figure.titlesize": 11,
            "font.family": ["DejaVu Sans"],
            "font.size": 10,
            "grid.color": self.faint,
            "grid.linewidth": 0.6,
            "hatch.linewidth": 0.6,
            "legend.fontsize": 9,
            "legend.title_fontsize": 9,
            "legend.frameon": False,
            "legend.labelcolor": self.ink,
            "lines.linewidth": 1.8,
            "patch.edgecolor": self.paper,
            "text.color": self.ink,
            "text.parse_math": False,  # a dollar in the name of a column is a dollar
            "xtick.color": self.ink,
            "ytick.color": self.ink,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "svg.hashsalt": "em",
            "path.simplify": True,
        }


LIGHT = Theme(
    "light",
    ink="#222222",
    paper="#ffffff",
    faint="#d9d9d9",
    shade="#d9d9d9",
    noise="#8c8c8c",
    colours=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#882255", "#999933"),
    low="#ffffff",
    high="#08519c",
    under="#b35806",
    accent="#c23b8f",
)
DARK = Theme(
    "dark",
    ink="#e8e8e8",
    paper="#16181c",
    faint="#3d4148",
    shade="#78808c",
    noise="#8f949c",
    colours=("#3b9ddd", "#f0803c", "#1fc796", "#e79fc8", "#8fd3fa", "#f5bb35", "#c75c93", "#c3c35a"),
    low="#16181c",
    high="#7fc4ff",
    under="#f5a25d",
    accent="#f28ac8",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def coded() -> Theme:
    """Colours that stand for those of any theme, each for one, so that a picture need be drawn but once."""
    codes: dict[str, Any] = {field.name: f"#20{place:02x}00" for place, field in enumerate(fields(Theme))}
    names = tuple(f"#30{place:02x}00" for place in range(len(LIGHT.colours)))
    return replace(
        LIGHT, **{**codes, "name": "coded", "low": "#100000", "high": "#10ff00", "under": "#1000ff", "colours": names}
    )


def decoded(code: str, theme: Theme) -> str:
    """The colour of a theme that a code stands for; between low and the ends lie mixtures of the two."""
    kind, place, below = code[1:3], int(code[3:5], 16), int(code[5:], 16)
    if kind not in ("10", "20", "30") or (below and (place or kind != "10")):
        return code
    if kind == "10":
        low, end = (
            [int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (theme.low, theme.under if below else theme.high)
        )
        share = (below or place) / 255
        return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(low, end, strict=True))
    found = theme.colours[place] if kind == "30" else getattr(theme, fields(Theme)[place].name)
    return str(found)


def theme_named(name: str) -> Theme:
    if name not in THEMES:
        raise UsageError(f"unknown theme {name!r}{did_you_mean(name, THEMES)}")
    return THEMES[name]


def short(name: str, longest: int = LONGEST) -> str:
    """A name from the data, on one line and not too long: its middle is left out."""
    text = safe(name)
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1].rstrip()}…{text[-tail:].lstrip()}"
