"""Data files as people have them are read right, or refused in one message with its place and its remedy."""

import json
import math
from pathlib import Path

import pytest
import tables_read
import tables_refused
from refusal import refused

from em_cli.config.run_config import DataConfig
from em_cli.runs.read import read_options
from em_cli.sources.reader import read


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def columns(name, options):
    """What is read from a file: of each column the cells, None for a missing one."""
    config = DataConfig.model_validate({key: list(v) if isinstance(v, tuple) else v for key, v in options.items()})
    data = read([name], read_options(config, config.types))
    found = {}
    for column, values in zip(data.schema.columns, data.source.x, strict=True):
        cells = [None] * data.n_rows_read
        for row, value in zip(data.rows.tolist(), values.tolist(), strict=True):
            cells[row] = None if math.isnan(value) else column.levels[int(value)] if column.levels else value
        found[column.name] = cells
    return found


@pytest.mark.parametrize("case", tables_read.CASES, ids=lambda case: case.name)
def test_read_right(case):
    Path(case.file).write_bytes(case.bytes)
    assert columns(case.file, case.options) == case.expected


@pytest.mark.parametrize("case", tables_refused.CASES, ids=lambda case: case.name)
def test_refused_in_one_message(case):
    Path(case.file).write_bytes(case.bytes)
    options = " ".join(f"--set 'data.{key}={quoted(value)}'" for key, value in case.options.items())
    refused(f"fit {case.file} -k 1 --dry-run -q {options}", case.status, case.expected)


def quoted(value):
    return json.dumps(value, ensure_ascii=False).replace("'", "'\"'\"'")
