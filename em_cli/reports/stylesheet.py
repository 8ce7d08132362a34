"""How the page looks: light or dark as the reader has it, and on paper."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.reports.inline import Colours
from em_cli.reports.style import DARK, LIGHT, Theme

SHEET = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:60rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0 0}
h2{font-size:1.35rem;margin:2.8rem 0 .8rem;padding-top:.5rem;border-top:1px solid var(--rule)}
h3{font-size:1.08rem;margin:1.8rem 0 .4rem}
p,ul{margin:.6rem 0}
li{margin:.3rem 0}
li>p{margin:.2rem 0}
a{color:var(--link)}
header p{color:var(--soft);margin:.2rem 0 1rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:0;padding:0;font-size:.93rem}
dl{margin:.6rem 0}
dl>div{display:grid;grid-template-columns:9rem 1fr;gap:1rem;padding:.25rem 0}
dt{color:var(--soft)}
dd{margin:0;min-width:0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em;
overflow-wrap:anywhere}
pre{padding:.7rem .9rem;background:var(--panel);border-radius:.3rem;white-space:pre-wrap}
.whole{white-space:nowrap}
.wide{overflow-x:auto;margin:1rem 0}
.wide:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;min-width:min(100%,30rem);font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:.2rem 0 .4rem}
caption>span{display:block;max-width:calc(100vw - 2rem);position:sticky;left:0}
th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:top}
thead th{border-bottom:1px solid var(--ink);vertical-align:bottom;white-space:nowrap}
tbody tr+tr>*{border-top:1px solid var(--rule)}
tbody th{font-weight:500}
td data{white-space:nowrap}
.numbers td,.numbers thead th{text-align:right}
.numbers thead th:first-child,.noted td:last-child,.noted thead th:last-child{text-align:left}
tbody th,.noted td:last-child{min-width:5rem}
figure{margin:1.6rem 0}
figure svg{display:block;width:100%;height:auto}
figure img{max-width:100%;height:auto}
figcaption{color:var(--soft);font-size:.9rem;margin-top:.3rem}
.spot{display:inline-block;width:.72em;height:.72em;border-radius:50%;margin-right:.4em}
footer{margin-top:3rem;color:var(--soft);font-size:.9rem}
@media screen and (max-width:34rem){
thead{display:none}
table,tbody,caption,caption>span{display:block;max-width:none}
tbody tr{display:flex;flex-wrap:wrap;gap:.1rem 1rem;padding:.35rem 0;border-top:1px solid var(--rule)}
tbody tr>*,tbody tr+tr>*{border:0;padding:0;min-width:0}
tbody th{flex-basis:100%}
td:not([data-head=""])::before{content:attr(data-head) " ";color:var(--soft)}
td:empty{display:none}
}
@media print{
@page{margin:16mm}
body{max-width:none;padding:0;font-size:10.5pt}
nav{display:none}
h2,h3,caption,thead{break-after:avoid}
figure,tr,dl>div,li{break-inside:avoid}
.wide{overflow:visible}
caption>span{max-width:none}
figure svg,figure img{max-height:92mm;object-fit:contain;object-position:left}
table{font-size:.85rem}
a{color:inherit}
.spot,svg,img{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
PANELS = {"light": ("#5a5f66", "#0b5cad", "#f3f4f6", "#dcdfe3"), "dark": ("#a9b0ba", "#7db8f5", "#22262c", "#3a3f47")}


def schemes(colours: Colours, k: int) -> str:
    """The colours of the page, of its pictures and of the components, for both schemes; paper is light."""
    light, dark = (_declared(theme, place, colours) for place, theme in enumerate((LIGHT, DARK)))
    light += "".join(_spot(LIGHT, place, k) for place in range(k + 1))
    dark += "".join(_spot(DARK, place, k) for place in range(k + 1))
    light += ".dark{display:none}"
    dark += ".light{display:none}.dark{display:inline}"
    return f"{light}@media screen and (prefers-color-scheme:dark){{{dark}}}\n"


def _declared(theme: Theme, place: int, colours: Mapping[tuple[str, str], str]) -> str:
    soft, link, panel, rule = PANELS[theme.name]
    named = {
        "--ink": theme.ink,
        "--paper": theme.paper,
        "--soft": soft,
        "--link": link,
        "--panel": panel,
        "--rule": rule,
    }
    named |= {name: pair[place] for pair, name in colours.items()}
    return f":root{{{';'.join(f'{name}:{colour}' for name, colour in named.items())}}}"


def _spot(theme: Theme, place: int, k: int) -> str:
    return f".k{place}{{background:{theme.mark(place, k).colour}}}"
