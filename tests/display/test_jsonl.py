"""Events as JSON lines."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from display.runs import FAITHFUL, NASTY, fit_events, select_events
from program import SAMPLES, em

from em_cli.display import open_display
from em_cli.engine.events import Finished, Iterated, ModelChosen, Warned
from em_cli.errors import OutputError


def written(events, stream=None):
    stream = stream or io.StringIO()
    with open_display("jsonl", command="fit", quiet=False, verbose=False, color="auto", stream=stream) as observe:
        for event in events:
            observe(event)
    return [json.loads(line, parse_constant=pytest.fail) for line in stream.getvalue().splitlines()]


def test_every_event_is_a_line():
    events = [*fit_events(), *select_events()]
    lines = written(events)
    assert len(lines) == len(events) + 1
    assert {line["event"] for line in lines} == {
        "data_read", "phase_started", "improved", "iterated", "pass_done", "finished", "model_chosen", "warned",
        "ended",
    }  # fmt: skip
    times = [line["time"] for line in lines]
    assert times == sorted(times) and times[0] >= 0
    clock = [datetime.fromisoformat(line["clock"]) for line in lines]
    assert clock == sorted(clock) and abs(datetime.now(UTC) - clock[-1]) < timedelta(minutes=1)
    assert lines[-1].items() >= {"event": "ended", "completed": True}.items()


def test_fields():
    data, iterated, chosen = written([FAITHFUL, Iterated(3, "full", 2, 7, -1.5), *_models()])[:3]
    assert data["columns"] == ["eruptions", "waiting"] and data["source"] == "faithful.csv"
    del iterated["time"], iterated["clock"]
    assert iterated == {
        "event": "iterated", "candidate": 3, "label": "full", "n_components": 2, "iteration": 7, "log_likelihood": -1.5,
        "of": "log_likelihood",
    }  # fmt: skip
    assert chosen["criteria"] == {"bic": 2.0, "aicc": None}


def _models():
    yield ModelChosen("full", 2, 1.0, (("bic", 2.0), ("aicc", float("inf"))), "")


def test_strict_json():
    nan, infinity = float("nan"), float("inf")
    finished, warned = written([Finished(0, "x", 1, 1, -infinity, "degenerate", nan), Warned("c", NASTY)])[:2]
    assert finished["log_likelihood"] is None and finished["remaining"] is None
    assert warned["message"] == NASTY


def test_a_run_that_fails_is_marked():
    stream = io.StringIO()
    display = open_display("jsonl", command="fit", quiet=False, verbose=False, color="auto", stream=stream)
    with pytest.raises(KeyboardInterrupt), display:
        raise KeyboardInterrupt
    assert json.loads(stream.getvalue())["completed"] is False


def test_lines_are_out_at_once(tmp_path):
    path = tmp_path / "events"
    with (
        path.open("w") as file,
        open_display("jsonl", command="fit", quiet=False, verbose=False, color="auto", stream=file) as observe,
    ):
        observe(FAITHFUL)
        assert json.loads(path.read_text())["n_rows"] == 272


def test_a_full_disk_is_told_at_the_end():
    seen = []

    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    def events():
        for event in (FAITHFUL, FAITHFUL):
            yield event
            seen.append(event)

    with pytest.raises(OutputError, match="the disk is full"):
        written(events(), Full())
    assert len(seen) == 2


def test_a_reader_that_goes_away_does_not_stop_the_run():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    assert written([FAITHFUL, FAITHFUL], Gone()) == []


def test_a_level_leaves_out_what_is_told_of_smaller_things(tmp_path):
    command = (
        "select",
        SAMPLES / "faithful.csv",
        "--k-range",
        "1-2",
        "--effort",
        "low",
        "-q",
        "--out",
        "run",
        "--force",
    )
    kinds = {}
    for level in ("run", "climb", "pass"):
        em(*command, "--events", "events", "--events-level", level, cwd=tmp_path)
        kinds[level] = {json.loads(line)["event"] for line in (tmp_path / "events").read_text().splitlines()}
    assert kinds["climb"] == kinds["run"] | {"finished", "improved"}
    assert kinds["pass"] == kinds["climb"] | {"advanced", "iterated", "pass_done"}
    assert kinds["run"] >= {"data_read", "phase_started", "model_chosen", "ended"}
    assert "and there is none" in em(*command, "--events-level", "run", cwd=tmp_path, status=2).err
    wrong = em(*command, "--events", "events", "--events-level", "climbs", cwd=tmp_path, status=2)
    assert "Did you mean 'climb'?" in wrong.err
