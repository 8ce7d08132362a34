"""Plain lines for logs."""

import io
import json
import re
import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from display.runs import NASTY, climbs, fit_events, select_events
from display.terminal import Terminal
from program import em

from em_cli.display import open_display, plain
from em_cli.display.plain import Plain, time_of_day
from em_cli.display.progress import Progress
from em_cli.engine.events import (
    FINISHING,
    REFINING,
    SPLIT_AND_MERGE,
    STARTS,
    Advanced,
    DataRead,
    Finished,
    Improved,
    Iterated,
    PassDone,
    PhaseStarted,
    RowsRead,
    Warned,
)
from em_cli.errors import UsageError


def log(events, *, command="fit", mode="plain", verbose=False):
    stream = io.StringIO()
    with open_display(mode, command=command, quiet=False, verbose=verbose, color="always", stream=stream) as observe:
        for event in events:
            observe(event)
    return re.sub(r"^em: \d\d:\d\d:\d\d ", "em: ", stream.getvalue(), flags=re.M)


def test_every_line_has_the_time_of_day():
    stream = io.StringIO()
    with Plain(stream, sweep=False, now=lambda: "23:59:07") as observe:
        for event in fit_events():
            observe(event)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 5 and all(line.startswith("em: 23:59:07 ") for line in lines)
    assert re.fullmatch(r"\d\d:\d\d:\d\d", time_of_day())


def test_fit():
    lines = log(fit_events(starts=2)).splitlines()
    assert lines[:-1] == [
        "em: faithful.csv: 272 rows, 2 columns",
        "em: start 1 loglik -1130.266 iter 12 converged",
        "em: start 2 loglik -1130.266 iter 13 converged",
    ]
    assert lines[-1].startswith("em: done in ") and lines[-1].endswith(" s")


def test_verbose_tells_phases_and_columns():
    lines = log(fit_events(starts=2), verbose=True).splitlines()
    assert "em: columns: eruptions, waiting" in lines
    assert "em: starts: 2" in lines and "em: finishing: 2" in lines


def test_many_starts_do_not_flood():
    def falling():
        yield PhaseStarted(FINISHING, 500)
        for c in range(500):
            yield Finished(c, "full", 2, 10, -100.0 + (c % 10 == 0) * (c // 100), "converged", 0.0)

    lines = log(falling()).splitlines()
    assert [line.split()[2] for line in lines[:-1]] == ["1", "101", "201", "301", "401"]


def test_select_has_a_line_per_model():
    lines = log(select_events(), command="select").splitlines()
    assert lines[1] == "em: full k = 1: loglik -1129.264 BIC 2328.190"
    assert sum(" BIC " in line for line in lines) == 10
    assert not any("start" in line for line in lines)


def test_heartbeat():
    now = [0.0]
    stream = io.StringIO()
    with Plain(stream, sweep=False, clock=lambda: now[0], now=lambda: "12:00:00") as observe:
        observe(PhaseStarted(FINISHING, 3, 0, 272, False, 0.4, 1.0))
        for event in climbs([("full", 2)] * 3, 100):
            if isinstance(event, PassDone):
                now[0] += 1
            observe(event)
            if now[0] == 35:
                break
    beats = [line for line in stream.getvalue().splitlines() if "finishing" in line]
    assert beats == [
        f"em: 12:00:00 finishing: 0 of 3 done, best loglik {'-1130.274' if n == 10 else '-1130.264'}, 0:00:{n} so far, "
        f"about 0:00:{n * 3 // 2} left"
        for n in (10, 20, 30)
    ]


def test_how_fast_rows_are_read_and_passed_over_is_told():
    now, stream = [0.0], io.StringIO()
    with Plain(stream, sweep=False, clock=lambda: now[0], now=lambda: "12:00:00") as observe:
        observe(PhaseStarted("reading", 0))
        for n, share in ((10_000, 0.1), (40_000, 0.4), (60_000, float("nan"))):
            now[0] += 10
            observe(RowsRead(n, share))
        observe(DataRead("t.csv", 10**6, 1, ("a",), 0))
        observe(PhaseStarted(FINISHING, 1, 0, 10**6, False, 0.4, 1.0))
        now[0] += 10
        observe(PassDone(1, 1))
    assert [line.split(": ", 2)[2] for line in stream.getvalue().splitlines() if "second" in line] == [
        "10,000 rows, 1,000 a second, 0:00:10 so far, about 0:01:30 left",
        "40,000 rows, 2,000 a second, 0:00:20 so far, about 0:00:30 left",
        "60,000 rows, 2,000 a second, 0:00:30 so far",
        "0 of 1 done, 100,000 rows a second, 0:00:40 so far, about 0:00:15 left",
    ]


def test_work_that_tells_nothing_is_not_silent_and_does_not_flood_the_log(monkeypatch):
    monkeypatch.setattr(plain, "LOOKS", 1e-4)
    now, stream = [0.0], io.StringIO()
    with Plain(stream, sweep=False, clock=lambda: now[0], now=lambda: "12:00:00") as observe:
        observe(PhaseStarted("scoring", 0))
        for later, n_lines in ((9, 0), (10, 1), (29, 1), (30, 2), (69, 2), (70, 3)):
            now[0] = later
            ends = time.monotonic() + 5
            while stream.getvalue().count("\n") < n_lines and time.monotonic() < ends:
                time.sleep(1e-3)
            time.sleep(5e-3)  # in which it looks again
            assert stream.getvalue().count("\n") == n_lines
    lines = stream.getvalue().splitlines()
    assert lines[:-1] == [f"em: 12:00:00 scoring: 0:{t // 60:02}:{t % 60:02} so far" for t in (10, 30, 70)]
    assert not any(thread.name == "em-log" and thread.is_alive() for thread in threading.enumerate())


def test_warnings_and_names_are_harmless():
    text = log([DataRead(NASTY, 1, 1, (NASTY,), 1), Warned("x", f"two\nlines {NASTY}")], verbose=True)
    assert text.isascii() is False and "\x1b" not in text
    assert "em: \\x1b[31m[bold]red[/bold]\\n名前: 1 row, 1 column, 1 row left out\n" in text
    assert "em: warning: two\n    lines \\x1b[31m[bold]red[/bold]\n" in text


@pytest.mark.parametrize("mode", ["auto", "live", "plain"])
def test_no_escape_codes_where_there_is_no_terminal(mode, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    for events, command in ((fit_events(), "fit"), (select_events(), "select")):
        text = log(events, command=command, mode=mode)
        assert "\x1b" not in text and "\r" not in text
        assert all(line.startswith(("em: ", "    ")) for line in text.splitlines())


@pytest.mark.parametrize("variable", ["TERM=dumb", "CI=true"])
def test_dumb_terminals_and_ci_get_plain_lines(variable, monkeypatch):
    name, _, value = variable.partition("=")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    assert not isinstance(_opened(terminal), Plain)
    monkeypatch.setenv(name, value)
    assert isinstance(_opened(terminal), Plain)


def _opened(terminal):
    return open_display("auto", command="fit", quiet=False, verbose=False, color="auto", stream=terminal)


def test_quiet_and_none_are_silent():
    for mode, quiet in (("none", False), ("auto", True), ("jsonl", True)):
        stream = io.StringIO()
        with open_display(mode, command="fit", quiet=quiet, verbose=not quiet, color="auto", stream=stream) as observe:
            for event in select_events():
                observe(event)
        assert stream.getvalue() == ""


def test_a_log_that_cannot_be_written_does_not_stop_the_run():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    with open_display("plain", command="fit", quiet=False, verbose=False, color="auto", stream=Full()) as observe:
        for event in fit_events():
            observe(event)


def test_no_stream():
    with open_display("auto", command="fit", quiet=False, verbose=False, color="auto", stream=None) as observe:
        for event in fit_events():
            observe(event)


def test_unknown_words_are_refused():
    with pytest.raises(UsageError, match="Did you mean 'plain'"):
        open_display("plian", command="fit", quiet=False, verbose=False, color="auto", stream=io.StringIO())
    with pytest.raises(UsageError, match="color"):
        open_display("plain", command="fit", quiet=False, verbose=False, color="yes", stream=io.StringIO())


def test_rich_is_not_imported_for_a_log():
    code = "import sys, em_cli.display.plain, em_cli.display.jsonl; assert not {'rich', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_long_search_says_how_far_it_is():
    """Phases in plain words, what is done of what, BIC so far, time left; a sample is named, and not mixed with all."""
    now, stream = [0.0], io.StringIO()
    with Plain(stream, sweep=True, clock=lambda: now[0], now=lambda: "12:00:00") as observe:
        for event in (
            PhaseStarted(STARTS, 0),
            PhaseStarted(REFINING, 0, 1, 100, True, 0.1, 0.2),
            Improved("full", 3, -50.0, 120.0, 100),
            Advanced(0, 0.5),
            PhaseStarted(SPLIT_AND_MERGE, 0, 2, 100, True, 0.2, 0.4),
            Improved("full", 2, -60.0, 110.0, 100),
            Advanced(1, 1.0),
            PhaseStarted(FINISHING, 2, 0, 5000, False, 0.4, 1.0),
            Iterated(0, "full", 2, 1, -900.0),
            Finished(0, "full", 2, 1, -900.0, "converged", 0.0),
        ):
            observe(event)
            now[0] += 10
            observe(PassDone(1, 1))
    assert [line.removeprefix("em: 12:00:00 ") for line in stream.getvalue().splitlines()[:-1]] == [
        "starts: 0:00:10 so far",
        "refining: 0:00:20 so far, about 0:01:30 left",
        "refining: BIC so far 120.000 (full k = 3) on a sample of 100 rows, 0:00:30 so far, about 0:03:00 left",
        "refining: BIC so far 120.000 (full k = 3) on a sample of 100 rows, 0:00:40 so far, about 0:02:49 left",
        "split and merge: 0 of 2 done, BIC so far 120.000 (full k = 3) on a sample of 100 rows, 0:00:50 so far, "
        "about 0:02:40 left",
        "split and merge: 0 of 2 done, BIC so far 110.000 (full k = 2) on a sample of 100 rows, 0:01:00 so far, "
        "about 0:03:20 left",
        "split and merge: 1 of 2 done, BIC so far 110.000 (full k = 2) on a sample of 100 rows, 0:01:10 so far, "
        "about 0:02:19 left",
        "finishing: 0 of 2 done, 0:01:20 so far, about 0:01:45 left",
        "finishing: 0 of 2 done, best loglik -900.000, 0:01:30 so far, about 0:02:00 left",
        "finishing: 1 of 2 done, best loglik -900.000, 0:01:40 so far, about 0:00:38 left",
    ]


def gaussians():
    x = np.random.default_rng(8).normal(size=(200, 2)) + 5 * (np.arange(200)[:, None] % 3)
    return "x,y\n" + "".join(f"{a:.4f},{b:.4f}\n" for a, b in x)


def genotypes():
    rng = np.random.default_rng(6)
    carried = rng.integers(0, 2, (6, 4))[rng.integers(0, 6, (60, 2))]
    return "a,b,c,d\n" + "".join(",".join(f"{u}/{v}" for u, v in zip(*pair, strict=True)) + "\n" for pair in carried)


def documents():
    rng = np.random.default_rng(7)
    terms = rng.dirichlet(np.full(20, 0.1), 3)
    counts = [rng.multinomial(30, rng.dirichlet(np.full(3, 0.4)) @ terms) for _ in range(40)]
    names = ",".join(f"w{j}" for j in range(20))
    return f"{names}\n" + "".join(",".join(map(str, row)) + "\n" for row in counts)


def test_a_second_search_takes_time_of_its_own():
    now = [0.0]
    progress = Progress(lambda: now[0])
    for name, begins, seconds in ((STARTS, 0.0, 60), (REFINING, 0.5, 60), ("other families", 0.0, 5)):
        progress(PhaseStarted(name, 0, begins=begins, ends=begins + 0.5))
        now[0] += seconds
    progress(PhaseStarted("other families", 0, begins=0.5, ends=1.0))
    assert progress.left() == pytest.approx(5.0)


def test_a_phase_that_comes_after_all_that_was_expected_takes_time_of_its_own():
    """Of three of four parts, what the fourth takes; before a tenth is done nobody knows."""
    now = [100.0]
    progress = Progress(lambda: now[0])
    progress(PhaseStarted(REFINING, 0, 4, 100, False, 0.0, 1.0))
    now[0] += 50
    progress(PhaseStarted(REFINING, 0, 4, 100, False, 1.0, 1.0))
    now[0] += 12
    assert progress.left() is None and progress.share() is None
    for part in range(3):
        progress(Advanced(part, 1.0))
    assert progress.left() == pytest.approx(4.0)
    progress(Advanced(3, 1.0))
    assert progress.left() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (gaussians(), ("select", "-k", "1-4", "--covariance", "full,diag")),
        (genotypes(), ("fit", "--latent", "pairs")),
        (genotypes(), ("fit", "--latent", "pairs", "--restarts", "3")),
        (documents(), ("select", "-k", "1-3", "--latent", "topics", "--effort", "low")),
        (documents(), ("fit", "-k", "3", "--latent", "topics", "--restarts", "2")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_search_tells_how_much_of_it_is_done(text, said, tmp_path):
    """The phases of a search follow each other from nothing to all, and every part of one comes to its end.

    A sweep of topics searches twice: what it holds out for judging is found before.
    """
    (tmp_path / "d.csv").write_text(text)
    em(said[0], "d.csv", *said[1:], "--events", "e.jsonl", "-q", cwd=tmp_path)
    phases = []
    for event in map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines()):
        if event["event"] == "phase_started":
            phases.append((event, {}))
        elif event["event"] == "advanced":
            phases[-1][1][event["part"]] = event["done"]
    search = [(phase, parts) for phase, parts in phases if phase["ends"] and phase["name"] != "other families"]
    assert search[0][0]["begins"] == 0 and search[-1][0]["ends"] == 1
    for (before, _), (after, _) in pairwise(search):
        assert before["ends"] == pytest.approx(after["begins"] or 1.0)
    for phase, parts in search:
        if not phase["n_candidates"] and phase["name"] != "split and merge":
            assert parts == dict.fromkeys(range(phase["n_parts"]), 1.0)


@pytest.mark.parametrize(("rows", "options"), [(150, ()), (150, ("--restarts", "3")), (21_000, ("--effort", "low"))])
def test_what_is_told_on_the_way_is_true(rows, options, tmp_path):
    """The last BIC so far of each model is that of its fit, and the share of the work that is done never falls."""
    x = np.random.default_rng(4).normal(size=(rows, 1)) + 6 * np.arange(rows)[:, None] % 12
    np.savetxt(tmp_path / "d.csv", x, header="x", comments="", fmt="%.4f")
    em("select", "d.csv", "-k", "1-2", "--events", "e.jsonl", "-q", "--json", *options, cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    told = {(e["n_components"], e["n_rows"]): e["bic"] for e in events if e["event"] == "improved"}
    chosen = {e["n_components"]: e["criteria"]["bic"] for e in events if e["event"] == "model_chosen"}
    assert {n for _, n in told} == (set() if "--restarts" in options else {min(rows, 20_000)})
    for (k, n), bic in told.items():
        assert n < rows or bic == pytest.approx(chosen[k], abs=0.05)
    shares = [(e["begins"], e["ends"]) for e in events if e["event"] == "phase_started" and e["ends"]]
    assert shares[0][0] == 0 and shares[-1][1] == 1 and all(begin <= end for begin, end in shares)
    assert all(before[1] == pytest.approx(after[0]) for before, after in pairwise(shares))
    assert all(e["n_candidates"] or e["n_parts"] for e in events if e["event"] == "phase_started" and e["ends"])
