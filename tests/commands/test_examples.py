"""What the examples of the guide claim: the script for pictures gives a picture back as it was."""

import csv
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from gallery import BLOCK, EXAMPLES, pictures_of, sections
from program import SAMPLES

from em_cli.reports import PICTURES
from em_cli.reports.haplotype_pictures import KINDS as OF_HAPLOTYPES
from em_cli.reports.topic_pictures import KINDS

SCRIPT = SAMPLES / "pixels.py"


def run(*said, given):
    return subprocess.run([sys.executable, SCRIPT, *said], input=given, capture_output=True, check=True).stdout


def png(pixels, filter):
    """A picture (H, W, 3) whose rows are all told by one of the filters 0 to 4."""
    height, width, _ = pixels.shape
    rows, above = [], np.zeros(3 * width, int)
    for own in pixels.reshape(height, -1).astype(int):
        left = np.concatenate([[0, 0, 0], own[:-3]])
        corner = np.concatenate([[0, 0, 0], above[:-3]])
        off = np.stack([abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)])
        paeth = np.stack([left, above, corner])[off.argmin(axis=0), np.arange(len(own))]
        told = (0, left, above, (left + above) // 2, paeth)[filter]
        rows.append(bytes([filter]) + ((own - told) % 256).astype(np.uint8).tobytes())
        above = own
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
    ]
    parts = [struct.pack(">I", len(b)) + name + b + struct.pack(">I", zlib.crc32(name + b)) for name, b in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_every_example_is_shown_by_pictures_of_what_it_makes():
    _, *examples = sections(EXAMPLES.read_text("utf-8"))
    for section in examples:
        commands = "\n".join(BLOCK.findall(section))
        for source, kind, _ in pictures_of(section):
            assert source in commands, section[:40]
            assert kind is None or kind in (*PICTURES, *KINDS, *OF_HAPLOTYPES), kind


@pytest.mark.parametrize("filter", range(5))
def test_pixels_are_read_whichever_way_a_picture_tells_its_rows(filter):
    pixels = np.random.default_rng(filter).integers(0, 256, (3, 4, 3))
    table = list(csv.DictReader(run(given=png(pixels, filter)).decode().splitlines()))
    found = [[int(row[name]) for name in ("x", "y", "red", "green", "blue")] for row in table]
    assert found == [[x, y, *pixels[y, x].tolist()] for y in range(3) for x in range(4)]


def test_a_picture_comes_back_in_the_mean_colours_of_its_components():
    lines = ["x,y,red,green,blue,component", "0,0,10,0,0,1", "1,0,20,0,0,1", "0,1,7,8,9,2", "1,1,7,8,9,2", ""]
    picture = run("back", given="\n".join(lines).encode())
    table = run(given=picture).decode().splitlines()
    assert table[1:] == ["0,0,15,0,0", "1,0,15,0,0", "0,1,7,8,9", "1,1,7,8,9"]
