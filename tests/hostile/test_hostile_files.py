"""Files that are none, streams that are closed, and files larger than they look."""

import bz2
import gzip
import lzma
import os
import subprocess
import threading
from pathlib import Path

import pytest
from program import ENVIRONMENT, Outcome, command
from refusal import check_refusal, em_here, refused
from tables import zipped

ROWS = "a,b\n3.6,79\n1.8,54\n3.3,74\n2.2,62\n4.5,85.5\n1.9,51\n"
DRY = "-k 1 --dry-run -q"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_is_no_file():
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("gone")
    refused(f"fit folder {DRY}", 3, ("folder is a folder, not a file.",))
    refused(f"fit loop {DRY}", 3, ("loop cannot be read: its links lead in a circle.",))
    refused(f"fit dangling {DRY}", 3, ("dangling does not exist.",))
    refused(f"fit {'x' * 300} {DRY}", 3, ("cannot be read: its name is too long.",))
    refused(f"fit '{'x' * 300}*' {DRY}", 3, ("no file matches",))
    refused(f"fit '' {DRY}", 3, ("the name of a data file is empty.",))
    refused(f"fit a.csv/b.csv {DRY}", 3, ("a.csv/b.csv does not exist.",))
    refused(f"fit /dev/zero {DRY}", 3, ("/dev/zero is a binary file",))
    refused(f"fit /dev/null {DRY}", 3, ("/dev/null is empty.",))
    refused(f"fit /proc/self/mem {DRY}", 3, ("/proc/self/mem cannot be read: ",))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read():
    Path("d.csv").write_text(ROWS)
    Path("d.csv").chmod(0)
    refused(f"fit d.csv {DRY}", 3, ("d.csv cannot be read: there is no permission.",))


def test_fifo():
    os.mkfifo("fifo")
    writer = threading.Thread(target=lambda: Path("fifo").write_text(ROWS))
    writer.start()
    assert em_here(f"fit fifo {DRY}").status == 0
    writer.join()


def test_closed_standard_input():
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *command("fit", "-", *DRY.split())], **process())
    check_refusal(Outcome(done.returncode, done.stdout.decode(), done.stderr.decode()), 3, ("standard input",))


def process():
    return {"capture_output": True, "env": ENVIRONMENT, "timeout": 60}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda rows: zipped([("d.csv", rows)])])
def test_compressed_standard_input_and_wrong_suffixes(pack):
    data = pack(ROWS.encode())
    assert em_here(f"fit - {DRY}", stdin=data).status == 0
    for name in ("d.csv", "d.gz", "d.zip", "d"):
        Path(name).write_bytes(data)
        assert em_here(f"fit {name} {DRY}").status == 0


def test_archives_that_cannot_be_opened():
    whole = bytearray(zipped([("d.csv", ROWS * 50)]))
    central = whole.rfind(b"PK\x01\x02")
    encrypted, strange, corrupt = bytearray(whole), bytearray(whole), bytearray(whole)
    encrypted[6] |= 1
    encrypted[central + 8] |= 1
    strange[8] = strange[central + 10] = 99
    corrupt[40] ^= 255
    outside = bytes.fromhex(
        "504b0304 3f000200 0e000000 e46adaec 3f6f2700 00001400 00000500 0000642e 63737609 04050000"
    ) + bytes(whole[central:])
    for content, word in [
        (outside, "d.zip is not a valid .zip file"),
        (encrypted, "d.zip is encrypted"),
        (strange, "compression method is not supported"),
        (corrupt, "d.zip is not a valid .zip file"),
        (whole[:-10], "d.zip is not a valid .zip file"),
    ]:
        Path("d.zip").write_bytes(content)
        refused(f"fit d.zip {DRY}", 3, (word,))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"1" * 4_000_000, "line 1 is longer than 1,000,000 characters"),
        (b'a,b\n"' + b"x" * 4_000_000, 'line 2: a quote (") is opened here'),
        (b"\0" * 4_000_000, "binary"),
        (b"\n" * 4_000_000, "empty"),
    ],
    ids=["line", "quote", "zeros", "blank lines"],
)
def test_small_files_that_unpack_to_large_ones(content, word, monkeypatch):
    monkeypatch.setattr("em_cli.sources.decoding.LONGEST_RECORD", 1_000_000)
    Path("d.csv.gz").write_bytes(gzip.compress(content, 1))
    refused(f"fit d.csv.gz {DRY}", 3, (word,))


def test_wide_and_long():
    names = ",".join(f"c{i}" for i in range(5000))
    rows = [",".join(str((i * j) % 97 + 0.5) for i in range(1, 5001)) for j in (1, 2, 5)]
    Path("d.csv").write_text("\n".join([names, *rows]) + "\n")
    assert em_here(f"fit d.csv {DRY} --columns c1,c4990").status == 0
    Path("d.csv").write_text("\n".join([names, *rows, rows[0] + ",1"]) + "\n")
    refused(f"fit d.csv {DRY}", 3, ("d.csv: line 5 has 5,001 fields, the header has 5000.",))
    Path("d.csv").write_text('s,b\n"' + "y" * 300_000 + '",1\nz,2\nw,-\nv,4\n')
    refused(f"fit d.csv {DRY} --columns b", 3, ("column 'b' is not numeric: line 4 holds '-'",))
    Path("d.csv").write_text("x" * 100_000 + ",b\n1,2\n3,-\n4,5\n")
    refused(f"fit d.csv {DRY}", 3, ("column 'b' is not numeric: line 3",))


def test_bad_cells_far_down_and_in_the_second_piece():
    Path("d.csv").write_text("a,b\n" + "1,2\n2,3.5\n" * 600_000 + "x,4\n")
    refused(f"fit d.csv {DRY}", 3, ("line 1200002 holds 'x'",))


NASTY = "\x1b[31m\u202e[bold]=1+1\x07"


def test_names_do_no_harm_on_screens_and_stay_as_they_are_in_files():
    """Terminal escapes, changes of direction, markup and formulas."""
    rows = "\n".join(f"{i % 2},{NASTY if i % 3 else 'v'},{i * i % 7 + i}" for i in range(30))
    Path("d.csv").write_text(f'"{NASTY}a",{NASTY}s,"b\n{NASTY}"\n{rows}\n')
    for line in (
        "fit d.csv -k 2 --effort low --format human --force --out run",
        "fit d.csv -k 2 --effort low --format human --force --out run --progress plain -v",
        "show run",
        "select d.csv --k-range 1-2 --effort low --format human --force --out run",
    ):
        outcome = em_here(line)
        assert outcome.status == 0, outcome.err
        assert all(text.isprintable() for text in (outcome.out + outcome.err).split("\n")), line
        assert "\\x1b[31m\\u202e[bold]=1+1\\x07" in outcome.out
    assert f'"{NASTY}a"'.encode() in Path("d.csv").read_bytes()
    sampled = em_here("sample run -n 3").out
    assert sampled.startswith(f"{NASTY}a,{NASTY}s,")
    assert NASTY in em_here("sample run -n 30").out.split("\n", 3)[3]
    name = f"{NASTY}.csv"
    Path(name).write_text("a,b\n1,x?\n")
    for line in (
        f"fit '{name}' {DRY}",
        f"fit '{NASTY}' {DRY}",
        f"show '{name}'",
        f"fit d.csv {DRY} --columns '{NASTY}'",
    ):
        refused(line, 3)
    refused(f"fit d.csv {DRY} --family '{NASTY}'", 2)
    refused(f"fit d.csv {DRY} --set '{NASTY}=1'", 2)
    refused(f"fit d.csv {DRY} '--{NASTY}'", 2)
