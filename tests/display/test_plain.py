"""Plain lines for logs."""

import io
import subprocess
import sys

import pytest
from display.runs import NASTY, climbs, fit_events, select_events
from display.terminal import Terminal

from em_cli.display import open_display
from em_cli.display.plain import Plain
from em_cli.engine.events import FINISHING, DataRead, Finished, PassDone, PhaseStarted, Warned
from em_cli.errors import UsageError


def log(events, *, command="fit", mode="plain", verbose=False):
    stream = io.StringIO()
    with open_display(mode, command=command, quiet=False, verbose=verbose, color="always", stream=stream) as observe:
        for event in events:
            observe(event)
    return stream.getvalue()


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
    with Plain(stream, sweep=False, clock=lambda: now[0]) as observe:
        observe(PhaseStarted(FINISHING, 3))
        for event in climbs([("full", 2)] * 3, 100):
            if isinstance(event, PassDone):
                now[0] += 1
            observe(event)
            if now[0] == 35:
                break
    beats = [line for line in stream.getvalue().splitlines() if "finishing" in line]
    assert beats == [
        f"em: finishing: iter {n}, best loglik {'-1130.274' if n == 10 else '-1130.264'}, 0/3 done, 0:00:{n}"
        for n in (10, 20, 30)
    ]


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
