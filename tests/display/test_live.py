"""The live view on a terminal: calm, never too large, and gone in the end."""

import os
import pty
import subprocess
import sys

import pytest
from display.runs import FAITHFUL, NASTY, fit_events, select_events
from display.terminal import Terminal
from program import ENVIRONMENT, SAMPLES, command

from em_cli.display import live, open_display
from em_cli.display.live import Live
from em_cli.display.progress import Progress
from em_cli.engine.events import (
    FINISHING,
    SPLIT_AND_MERGE,
    STARTS,
    DataRead,
    Finished,
    Iterated,
    PassDone,
    PhaseStarted,
    Warned,
)


class Clock:
    """A clock that goes on by itself, so that no test has to wait."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.001
        return self.now


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(live, "size_of", lambda stream: terminal.size)
    monkeypatch.setattr(live, "INTERVAL", 3600)  # drawn only when a test says so
    return terminal


def display(terminal, *, sweep=False, colored=True):
    return Live(terminal, sweep=sweep, colored=colored, progress=Progress(Clock()))


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50), (40, 10), (20, 3), (10, 2)])
@pytest.mark.parametrize("events", [fit_events, select_events])
def test_never_larger_than_the_terminal(terminal, columns, lines, events):
    terminal.resize(columns, lines)
    terminal.write("$ em fit\n" if lines > 2 else "")
    view = display(terminal, sweep=events is select_events)
    with view as observe:
        for event in events():
            if not isinstance(event, Warned):
                observe(event)
            if not isinstance(event, Warned | Iterated | Finished):
                view.draw()
                assert len(terminal.shown) <= lines
    assert terminal.scrolled <= 1  # room for the view is made once
    assert terminal.shown == (["$ em fit"] if not terminal.scrolled and lines > 2 else [])


def test_warnings_end_their_lines_between_words(terminal):
    said = "5 rows called 'A total' in region; totals are no cases: take them out of the file, which is best by far"
    with display(terminal, sweep=True) as observe:
        observe(Warned("looks_like_total", said))
    lines = [line.rstrip() for line in terminal.shown if line.strip()]
    assert len(lines) == 2 and " ".join(line.removeprefix("em: warning:").strip() for line in lines) == said


@pytest.mark.parametrize("events", [fit_events, select_events])
def test_stays_in_its_place(terminal, events):
    """What stood above stays, nothing scrolls, and in the end only warnings are left."""
    view = display(terminal, sweep=events is select_events)
    terminal.write("$ em fit faithful.csv -k 2\n")
    with view as observe:
        for event in events():
            observe(event)
            if isinstance(event, Iterated):
                continue
            view.draw()
            assert terminal.shown[0] == "$ em fit faithful.csv -k 2"
            assert not terminal.scrolled
            assert terminal.screen.cursor.hidden
    warned = [line for line in terminal.shown[1:] if line.strip()]
    assert warned == (
        ["em: warning: the choice is at the edge", "    of the range \\x1b[31m"] if events is select_events else []
    )
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0


def test_fit_shows_how_far_it_has_come(terminal):
    view = display(terminal)
    with view as observe:
        for event in fit_events(starts=5, iterations=12):
            observe(event)
            if isinstance(event, PassDone) and view.progress.passes == 16 + 14:
                break
        view.progress.clock.now += 70
        view.draw()
        data, phase, climb = terminal.shown
        assert data == " faithful.csv   272 rows × 2 columns   (eruptions, waiting)"
        assert phase.split()[:1] == [FINISHING] and " 3/5  BIC 2322.192  0:01:10  left ≈ 0:00:17" in phase
        assert "━" in phase and "─" in phase
        assert " iter  14  loglik -1130.26" in climb and "  Δ " in climb and "  to go " in climb
        assert any(bar in climb for bar in "▁▂▃▄▅▆▇█")


def test_lines_do_not_jump(terminal):
    """From one drawing to the next, every word that stays is in its column."""
    view = display(terminal)
    with view as observe:
        columns = {}
        for event in fit_events():
            observe(event)
            if isinstance(event, PassDone) and view.progress.phase.name == FINISHING:
                view.draw()
                assert len(terminal.shown) == 3
                for word in ("BIC", "left", "iter", "loglik", "Δ", "to go"):
                    (line,) = [line for line in terminal.shown if f" {word} " in line]
                    assert columns.setdefault(word, line.index(f" {word} ")) == line.index(f" {word} ")


def test_sweep_fills_its_table(terminal):
    view = display(terminal, sweep=True)
    with view as observe:
        for event in select_events():
            observe(event)
            if isinstance(event, PassDone):
                view.draw()
                assert "best log-likelihood so far" in terminal.shown[3]
        view.draw()
        table = terminal.shown[terminal.shown.index(" BIC, lower is better") :]
        assert table[1].split() == ["k", "full", "tied"]
        assert table[4].split() == ["3", "2326.19", "◀", "2326.19"]
        assert len(table) == 7


def test_sweep_of_one_structure_has_more_columns(terminal):
    view = display(terminal, sweep=True)
    with view as observe:
        for event in select_events(labels=("full",)):
            observe(event)
        view.draw()
        table = terminal.shown[terminal.shown.index(" BIC, lower is better") :]
        assert table[1].split() == ["k", "loglik", "BIC", "AIC", "ICL"]
        assert table[4].split() == ["3", "-1127.264", "2326.19", "◀", "2317.19", "2327.19"]


def test_large_sweep_shows_what_fits_with_the_best(terminal):
    view = display(terminal, sweep=True)
    labels = tuple(f"V{letter}V" for letter in "ABCDEFGHIJ")
    with view as observe:
        for event in select_events(labels, range(1, 41)):
            if not isinstance(event, Warned):
                observe(event)
        view.draw()
        assert "… 23 more k, 5 more structures" in "\n".join(terminal.shown)
        assert any("◀" in line for line in terminal.shown)
        assert not terminal.scrolled


def test_resized(terminal):
    view = display(terminal, sweep=True)
    terminal.resize(120, 24)
    with view as observe:
        for event in select_events():
            if not isinstance(event, Warned):
                observe(event)
        for columns, lines in ((120, 24), (60, 12), (100, 40), (80, 24)):
            terminal.resize(columns, lines)
            view.draw()
            assert all(len(line) < columns for line in terminal.shown)
            assert len(terminal.shown) < lines
    assert not terminal.screen.cursor.hidden


def test_way_up_counts_folded_lines():
    terminal = Terminal()
    region = live.Region(terminal)
    region.draw([("x" * 100, 100), ("y" * 30, 30), ("z", 1)], (120, 24))
    terminal.written.clear()
    region.draw([("a", 1)], (50, 24))
    assert "\x1b[3A" in terminal.written[0]


def test_what_has_left_the_screen_is_drawn_over_when_it_is_back():
    terminal = Terminal()
    region = live.Region(terminal)
    region.draw([("x", 1)] * 20, (80, 24))
    region.draw([("y", 1)] * 9, (80, 10))
    region.draw([("z", 1)] * 9, (80, 15))
    region.draw([("z", 1)] * 9, (80, 24))
    region.draw([("z", 1)] * 9, (80, 30))
    ways = [int(text.split("\x1b[")[2].split("A")[0]) for text in terminal.written[1:]]
    assert ways == [9, 8 + 4, 8 + 6, 8]


def test_collapsed_climbs_do_not_count_as_best():
    progress = Progress(Clock())
    progress(PhaseStarted(FINISHING, 2))
    progress(Iterated(0, "full", 2, 1, 1e300))
    progress(Iterated(1, "full", 2, 1, -10.0))
    progress(Finished(0, "full", 2, 1, 1e300, "degenerate", 0.0))
    assert progress.best() == -10.0
    assert progress.leader() == Iterated(1, "full", 2, 1, -10.0)


def test_a_climb_that_is_stopped_and_goes_on_has_not_ended():
    """Of climbs that are halved after some passes, those that were given up have ended one pass later."""
    progress = Progress(Clock())
    progress(PhaseStarted(STARTS, 4))
    for n, ended in ((4, 0), (2, 2), (1, 3)):
        for candidate in range(n):
            progress(Iterated(candidate, "full", 2, 1, -10.0))
            progress(Finished(candidate, "full", 2, 1, -10.0, "max_iterations", 1.0))
        progress(PassDone(0, n))
        assert len(progress.ended) == ended


def test_a_phase_of_unknown_length_has_no_bar(terminal):
    view = display(terminal)
    with view as observe:
        observe(FAITHFUL)
        observe(PhaseStarted(SPLIT_AND_MERGE, 0))
        observe(Iterated(0, "full", 2, 1, -10.0))
        observe(Finished(0, "full", 2, 1, -10.0, "converged", 0.0))
        view.draw()
        phase = terminal.shown[1]
        assert (
            phase.split()[:5] == ["split", "and", "merge", "best", "-10.000"] and "/" not in phase and "─" not in phase
        )


def test_names_are_harmless(terminal):
    view = display(terminal, colored=False)
    with view as observe:
        observe(DataRead(NASTY, 3, 1, (NASTY,), 1))
        view.draw()
        assert "\\x1b[31m[bold]red[/bold]\\n名前" in terminal.shown[0].replace("名 前 ", "名前")
        assert len(terminal.shown) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_cursor_comes_back_whatever_happens(terminal, error):
    view = display(terminal)
    with pytest.raises(error), view as observe:
        for event in fit_events():
            observe(event)
        view.draw()
        raise error
    assert not terminal.screen.cursor.hidden and terminal.shown == []
    assert not view.thread.is_alive()


def test_standard_output_on_the_terminal_ends_the_view(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal)
    view = display(terminal)
    with view as observe:
        observe(FAITHFUL)
        view.draw()
        sys.stdout.write("the result\n")
        view.draw()
        assert terminal.shown == ["the result"] and not terminal.screen.cursor.hidden
    assert sys.stdout is terminal


def test_colour_is_off_when_asked(terminal):
    for color, env, styled in (("auto", "", True), ("auto", "1", False), ("always", "1", True), ("never", "", False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_COLOR", env)
            patch.setenv("TERM", "xterm")
            view = open_display("live", command="fit", quiet=False, verbose=False, color=color, stream=terminal)
        terminal.written.clear()
        with view as observe:
            for event in fit_events():
                observe(event)
            view.draw()
        assert ("\x1b[1m" in "".join(terminal.written)) is styled


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_a_real_run_in_a_terminal(tmp_path):
    """A whole process with its standard error on a terminal: drawn, then gone, with the cursor back."""
    ours, theirs = pty.openpty()
    environment = ENVIRONMENT | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command("select", SAMPLES / "faithful.csv", "--k-range", "1-4", "--json"),
        stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env=environment,
    ) as child:  # fmt: skip
        os.close(theirs)
        drawn = b""
        while piece := _read(ours):
            drawn += piece
        assert child.stdout and child.stdout.read().startswith(b"{")
    os.close(ours)
    assert child.returncode == 0
    text = drawn.decode()
    assert "272 rows × 2 columns" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0
    terminal = Terminal()
    terminal.write(text)
    assert all(line.startswith(("em: warning:", "    ")) for line in terminal.shown)
    assert not terminal.scrolled


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""
