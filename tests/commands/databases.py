"""Databases in which exported statements are run, each as it comes."""

from __future__ import annotations

import csv
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest
import sqlglot

Rows = Sequence[Sequence[str | None]]


def read(path: Path) -> tuple[list[str], list[list[str | None]]]:
    """The header and the cells of a CSV file; None where one is blank."""
    with path.open(newline="") as lines:
        head, *rows = csv.reader(lines)
    return head, [[cell or None for cell in row] for row in rows]


def created(head: Sequence[str], types: Mapping[str, str], text: str) -> str:
    doubled = {name: name.replace('"', '""') for name in head}
    columns = ", ".join(f'"{doubled[name]}" {types.get(name, text)}' for name in head)
    return f'CREATE TABLE "data" ({columns})'


def in_duckdb(statement: str, head: Sequence[str], rows: Rows, types: Mapping[str, str]) -> list[tuple[object, ...]]:
    with duckdb.connect() as database:
        database.execute(created(head, types, "VARCHAR"))
        database.executemany(f'INSERT INTO "data" VALUES ({", ".join("?" * len(head))})', rows)
        return database.execute(statement).fetchall()


def in_sqlite(statement: str, head: Sequence[str], rows: Rows, types: Mapping[str, str]) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(created(head, types, "TEXT"))
        database.executemany(f'INSERT INTO "data" VALUES ({", ".join("?" * len(head))})', rows)
        return database.execute(statement).fetchall()


def in_bigquery(statement: str, head: Sequence[str], rows: Rows, types: Mapping[str, str]) -> list[tuple[object, ...]]:
    """As sqlglot understands it: there is none to be started."""
    (translated,) = sqlglot.transpile(statement, read="bigquery", write="duckdb")
    return in_duckdb(translated, head, rows, types)


@contextmanager
def postgres():
    """A server of its own: a function that runs a statement. Skipped with a sentence where there is none."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs and not shutil.which("initdb"):
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql): its statements are not run")
    bin = programs[-1] if programs else Path(str(shutil.which("initdb"))).parent
    folder = Path(tempfile.mkdtemp(prefix="em-postgres-"))
    as_user = {}
    if os.geteuid() == 0:  # it does not run as root
        owner = pwd.getpwnam("postgres" if "postgres" in {user.pw_name for user in pwd.getpwall()} else "nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    place, quick = (
        folder / "data",
        ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"],
    )
    own = {"cwd": folder, "check": True, "capture_output": True, "env": os.environ | {"LC_ALL": "C.UTF-8"}}
    subprocess.run([bin / "initdb", "-D", place, "-U", "em", "-A", "trust", "--no-sync"], **own, **as_user)
    server = subprocess.Popen([bin / "postgres", "-D", place, *quick], cwd=folder, stderr=subprocess.DEVNULL, **as_user)
    psql = [bin / "psql", "-h", folder, "-U", "em", "-d", "postgres", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1"]
    try:
        ready = [bin / "pg_isready", "-h", folder, "-U", "em", "-t", "1"]
        while subprocess.run(ready, capture_output=True).returncode and server.poll() is None:
            pass

        def run(statement: str, head: Sequence[str], rows: Rows, types: Mapping[str, str]) -> list[list[str | None]]:
            lines = "\n".join(
                ",".join("" if c is None else '"' + c.replace('"', '""') + '"' for c in row) for row in rows
            )
            table = created(head, types, "text").replace("CREATE", "CREATE TEMPORARY")
            script = f'{table};\n\\copy "data" FROM STDIN WITH CSV\n{lines}\n\\.\n{statement}'
            done = subprocess.run(psql, input=script, capture_output=True, text=True, cwd=folder)
            assert not done.returncode, done.stderr
            return [[cell or None for cell in row] for row in csv.reader(done.stdout.splitlines())]

        yield run
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
