"""Facts and arrays in a file, a frame each; a frame that was not written whole is known for it."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from em_cli.engine.checkpoint import Packed

HEAD = struct.Struct("<4sQI")  # mark, bytes that follow, their CRC-32
MARK = b"em-1"
KINDS = frozenset("fib")  # floats, integers, flags


def to_bytes(packed: Packed) -> bytes:
    """One frame; the arrays keep the order of their axes in memory, on which their sums may depend."""
    specs, parts = [], []
    for array in map(np.asarray, packed.arrays):
        axes = sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))
        laid = np.ascontiguousarray(array.transpose(axes))
        specs.append([array.dtype.str, [array.shape[axis] for axis in axes], axes])
        parts.append(laid.tobytes())
    line = json.dumps([packed.facts, specs]).encode()
    body = b"".join([struct.pack("<Q", len(line)), line, *parts])
    return HEAD.pack(MARK, len(body), zlib.crc32(body)) + body


def from_bytes(content: bytes) -> Iterator[tuple[Packed, int]]:
    """The frames that are whole, each with where it ends, up to the first that is not."""
    place = 0
    while len(content) - place >= HEAD.size:
        mark, length, check = HEAD.unpack_from(content, place)
        body = content[place + HEAD.size : place + HEAD.size + length]
        if mark != MARK or len(body) != length or zlib.crc32(body) != check:
            return
        place += HEAD.size + length
        yield _packed(body), place


def _packed(body: bytes) -> Packed:
    (length,) = struct.unpack_from("<Q", body)
    facts, specs = json.loads(body[8 : 8 + length])
    arrays, place = [], 8 + length
    for name, shape, axes in specs:
        arrays.append(_array(np.dtype(name), shape, axes, body, place))
        place += arrays[-1].nbytes
    return Packed(facts, arrays)


def _array(kind: np.dtype[Any], shape: list[int], axes: list[int], body: bytes, place: int) -> Any:
    if kind.kind not in KINDS:
        raise ValueError(f"no array of {kind} is expected")
    laid = np.frombuffer(body, kind, math.prod(shape), place).reshape(shape).copy()
    return laid.transpose(np.argsort(axes))
