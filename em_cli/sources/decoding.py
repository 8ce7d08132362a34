"""From bytes to text in pieces of whole records."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from em_cli.errors import DataError
from em_cli.sources.files import Opened

PIECE = 1 << 20  # bytes asked for at once
LARGEST_PIECE, FEW_LINES = 1 << 25, 1000  # characters; what a column of a piece costs is worth so many rows
LONG_RECORD, LONGEST_RECORD = 1 << 22, 1 << 26  # of longer ones the end is looked for ever more seldom

LOOK_AT = 1000  # bytes, for signs of UTF-16
WESTERN = "cp1252"  # of files that are not in UTF-8 the likeliest encoding
_NO_TEXT = {
    b"%PDF-": "a PDF document, not text",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or document of Microsoft Office, not text: save the sheet as CSV",
    b"PAR1": "a Parquet file: name it .parquet",
    b"ARROW1": "a Feather file: name it .feather",
}
BOM = "\ufeff"
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_MARKED = ("utf-16", "utf-32")  # codecs that need such a mark to know the order of bytes
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Lines:
    """Some whole records, lines ended as Unix does."""

    text: str
    first_line: int  # as an editor counts, from 1
    newline: str = "\n"  # as the file writes it
    ends: tuple[str, ...] = field(default=(), repr=False)  # of every line, where they are not alike
    codec: str = "utf-8"  # of the file; it writes no byte order mark
    marks: str = ""  # byte order marks, which stand before the text

    def after(self, above: Lines) -> Lines:
        """These lines with others above them."""
        ends = (*above.every_end, *self.every_end)
        alike = len(set(ends)) < 2
        newline = ends[0] if ends and alike else self.newline
        return replace(
            self,
            text=above.text + self.text,
            first_line=above.first_line,
            newline=newline,
            ends=() if alike else ends,
            marks=above.marks + self.marks,
        )

    @property
    def every_end(self) -> tuple[str, ...]:
        """How each line ends."""
        return self.ends or (self.newline,) * self.text.count("\n")

    @property
    def n_bytes(self) -> int:
        """Of the text as the file holds it, without byte order marks."""
        if self.text.isascii() and self.codec in ("utf-8", "ascii") and self.newline == "\n" and not self.ends:
            return len(self.text)
        return len(self.encoded(self.text))

    @property
    def n_lines(self) -> int:
        """That are ended; counted in bytes, which is faster than in text."""
        return int(np.count_nonzero(np.frombuffer(self.text.encode(errors="surrogatepass"), np.uint8) == ord("\n")))

    def encoded(self, text: str, first: int = 0) -> bytes:
        """A text of as many lines, from one of these on, in the bytes in which the file would hold it."""
        if self.ends:
            ends = iter(self.ends[first:])
            text = re.sub("\n", lambda _: next(ends), text)
        elif self.newline != "\n":
            text = text.replace("\n", self.newline)
        return text.encode(self.codec)


def lines(file: Opened, encoding: str | None) -> Iterator[Lines]:
    """The text of a file, each piece as soon as it can be had."""
    line = 1
    carry = marks = ""
    begun = False
    enough = 0  # characters before it is worth looking for the end of a long record again
    data = _first_bytes(file, encoding)
    codec = _codec(data, encoding)

    def reached() -> int:
        return line + _count_lines(carry)

    def made(text: str) -> Lines:
        return replace(lines_of(text, line), codec=codec, marks=marks)

    for text in _decoded(file, data, codec, encoding, reached):
        if text and not begun:
            begun, carry = True, text.lstrip(BOM)
            marks = text[: len(text) - len(carry)]
        else:
            carry += text
        if len(carry) < enough or _worth_more(carry, text):
            continue
        enough = 0
        end = _end_of_records(carry)
        if end:
            piece = made(carry[:end])
            yield piece
            line += piece.n_lines
            carry, marks = carry[end:], ""
        elif len(carry) > LONGEST_RECORD:
            raise DataError(_too_long(file.label, line, carry))
        elif len(carry) > LONG_RECORD:
            enough = 2 * len(carry)
    if carry:
        yield made(carry)


def _worth_more(carry: str, text: str) -> bool:
    """Whether lines are so long that more of them should go into a piece, where more is there to be had at once."""
    plenty = len(text) >= PIECE // 4
    few = carry.count("\n", 0, PIECE // 4) < FEW_LINES and carry.count("\n") < FEW_LINES
    return plenty and few and len(carry) < LARGEST_PIECE


def _too_long(shown: str, line: int, text: str) -> str:
    if '"' in text:
        return f'{shown}, line {line}: a quote (") is opened here or below and never closed.'
    return f"{shown}, line {line} is longer than {LONGEST_RECORD:,} characters: is this delimited text?"


def lines_of(text: str, first_line: int) -> Lines:
    """A text of whole records, of which the first stands on that line."""
    if "\r" not in text:
        return Lines(text, first_line)
    newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r"
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    alike = text.count(newline) == plain.count("\n")
    return Lines(plain, first_line, newline, () if alike else tuple(_LINE_END.findall(text)))


def _count_lines(text: str) -> int:
    """Line ends of Unix, Windows, or (if there are no others) the old Macintosh."""
    return text.count("\n") or text.count("\r")


def _codec(data: bytes, encoding: str | None) -> str:
    """Of a text that begins with these bytes: one that leaves byte order marks in it."""
    marked = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    if encoding is None:
        return marked or "utf-8"
    name = codecs.lookup(encoding).name
    if name in _MARKED:
        return marked if marked and marked.startswith(name) else name
    return "utf-8" if name == "utf-8-sig" else name


def _decoded(file: Opened, data: bytes, codec: str, encoding: str | None, reached: Callable[[], int]) -> Iterator[str]:
    """The text as it comes; `reached` tells, for messages, the line that has been come to with what was yielded."""
    if codec in _MARKED:
        what = "it does not begin with a byte order mark"
        raise DataError(
            f"{file.label} is not in {encoding}: {what}. If it is all the same, pass {codec}-le or {codec}-be."
        )
    wide = codec.startswith(_MARKED)
    told = encoding or (codec[:6] if wide else None)
    decoder = codecs.getincrementaldecoder(codec)()
    while True:
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            if not wide and b"\0" in data:
                line = reached() + _count_lines(data[: data.index(b"\0")].decode("latin-1"))
                raise _binary(file.label, line, data) from None
            line = reached() + _count_lines(error.object[: error.start].decode(codec, "ignore"))
            raise _undecodable(file.label, line, error, told) from None
        except UnicodeError as error:
            raise DataError(f"{file.label} is not in {encoding}: {error}.") from None
        if "\0" in text:
            raise _binary(file.label, reached() + _count_lines(text[: text.index("\0")]), b"" if wide else data)
        yield text
        if not data:
            return
        data = file.pull(PIECE)


def _first_bytes(file: Opened, encoding: str | None) -> bytes:
    """Enough of them to see a byte order mark; `DataError` if they are not those of a text."""
    data = head = file.pull(PIECE)
    while head and len(data) < 4:
        head = file.pull(PIECE)
        data += head
    if not data:
        raise DataError(f"{file.label} is empty.")
    if encoding is None and (kind := next((kind for magic, kind in _NO_TEXT.items() if data.startswith(magic)), None)):
        raise DataError(f"{file.label} is {kind}.")
    return data


def _binary(shown: str, line: int, data: bytes) -> DataError:
    first = data[:LOOK_AT]
    odd, even = first[1::2].count(0), first[::2].count(0)
    if max(odd, even) > len(first) / 4 and min(odd, even) == 0:
        name = "utf-16-le" if odd else "utf-16-be"
        remedy = f"It looks like UTF-16 without a byte order mark: pass --encoding {name}."
    else:
        remedy = "Save a spreadsheet as CSV; unpack an archive; take single NUL bytes out with tr -d '\\000'."
    return DataError(f"{shown} is a binary file, not text (line {line} holds a NUL byte). {remedy}")


class NotUtf8(DataError):
    """The bytes of a file are no text, in the encoding that is taken where none is named."""


def _undecodable(shown: str, line: int, error: UnicodeDecodeError, encoding: str | None) -> DataError:
    byte = f"0x{error.object[error.start]:02x}"
    if encoding is not None:
        remedy = "Is --encoding right, and the file whole?"
        return DataError(f"{shown}, line {line}: byte {byte} is not valid in {encoding}. {remedy}")
    return NotUtf8(
        f"{shown}, line {line}: byte {byte} is not valid in UTF-8. If it comes from an older Windows program in a "
        f"Western language, pass --encoding {WESTERN}; else name its own."
    )


_QUOTED = re.compile(r'(?:(?<=[^\w".+-])|\A)"[^"]*(?:""[^"]*)*(?:"|\Z)')


def _end_of_records(text: str) -> int:
    """Length of the part that ends with a whole record; 0 if no record is whole yet."""
    end = text.rfind("\n") + 1
    if not end and "\n" not in text:
        end = text.rfind("\r", 0, -1) + 1  # a last \r may be half of \r\n
    if '"' not in text or text.count('"', 0, end) % 2 == 0:
        return end
    for match in _QUOTED.finditer(text):  # a field is open, or a quote stands within a field
        field, stop = match.span()
        if stop >= end and stop == len(text) and not _closed(match.group()):
            return text.rfind("\n", 0, field) + 1
        if field < end < stop:
            return text.rfind("\n", 0, field) + 1
    return end


def _closed(field: str) -> bool:
    return len(field) > 1 and field.endswith('"') and field.count('"') % 2 == 0
