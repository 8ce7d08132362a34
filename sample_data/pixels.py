"""A picture as a table of pixels, and back: `pixels.py < scene.png > pixels.csv`, `pixels.py back < new.csv > new.png`.

PNG files of eight bits for each of red, green and blue, with nothing but the standard library. On the way back each
pixel has the mean colour of its component.
"""

import csv
import struct
import sys
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read(data):
    """Width, and the rows of bytes of a picture."""
    place, packed, width, depth, kind, interlaced = len(SIGNATURE), b"", 0, 0, 0, 0
    while place < len(data):
        (length,), name = struct.unpack(">I", data[place : place + 4]), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        if name == b"IHDR":
            width, _, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        packed += body if name == b"IDAT" else b""
        place += 12 + length
    if data[: len(SIGNATURE)] != SIGNATURE or depth != 8 or kind not in (2, 6) or interlaced:
        sys.exit("pixels.py: a PNG of eight bits for each of red, green and blue is wanted, not interlaced.")
    step, raw = (3 if kind == 2 else 4), zlib.decompress(packed)
    rows, above = [], bytes(width * step)
    for first in range(0, len(raw), width * step + 1):
        above = unfiltered(raw[first], raw[first + 1 : first + 1 + width * step], above, step)
        rows.append(above)
    return width, step, rows


def unfiltered(filter, line, above, step):
    """A row as it was before its bytes were told by those to the left and above."""
    row = bytearray(line)
    for i in range(len(row)):
        left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
        nearest = min((left, above[i], corner), key=lambda one: abs(left + above[i] - corner - one))
        row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2, nearest)[filter]) % 256
    return bytes(row)


def to_table():
    width, step, rows = read(sys.stdin.buffer.read())
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["x", "y", "red", "green", "blue"])
    for y, row in enumerate(rows):
        table.writerows([x, y, *row[step * x : step * x + 3]] for x in range(width))


def to_picture():
    pixels = list(csv.DictReader(sys.stdin))
    groups = {}
    for pixel in pixels:
        groups.setdefault(pixel["component"], []).append([int(pixel[name]) for name in ("red", "green", "blue")])
    colour = {
        name: bytes(round(sum(own) / len(own)) for own in zip(*found, strict=True)) for name, found in groups.items()
    }
    width, height = (1 + max(int(pixel[name]) for pixel in pixels) for name in "xy")
    at = {(int(pixel["x"]), int(pixel["y"])): colour[pixel["component"]] for pixel in pixels}
    raw = b"".join(b"\0" + b"".join(at[x, y] for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    sys.stdout.buffer.write(SIGNATURE + b"".join(chunks))


if __name__ == "__main__":
    to_picture() if sys.argv[1:] == ["back"] else to_table()
