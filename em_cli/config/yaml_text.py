"""YAML as editors understand it: version 1.2's core schema, and no key twice.

PyYAML reads version 1.1, where `no` is false, `1e-6` is text and the last of two equal keys
wins in silence.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from em_cli.errors import UsageError
from em_cli.printable import harmful, yaml_escaped

Path = tuple[str | int, ...]
MAX_ALIASES = 100
TOKENS = {
    "stream end": "the end of the file",
    "block end": "the end of what is set in",
    "block mapping start": "a key",
    "block sequence start": "a list",
    "scalar": "text",
}
DEEPEST = 20  # levels of nesting
NEWLINE = "\n"
LONGEST_NUMBER = 400  # characters


@dataclass(frozen=True, slots=True)
class YamlText:
    """A document, and where in its file each of its keys stands."""

    name: str
    value: Any
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)  # line, column; from 1

    def where(self, path: Path) -> str:
        """ "run.yaml:3:14" for the key, or for the nearest that is there."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"


def parse(text: str, name: str) -> YamlText:
    """Read one document; `UsageError` with file, line and column if it is not one."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        places: dict[Path, tuple[int, int]] = {}
        if node is not None:
            _check(node, (), places, name, set(), [0])
        value = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise UsageError(f"{where}: not YAML: {_in_words(error.problem or error.context or '')}.") from None
    except yaml.reader.ReaderError as error:
        raise UsageError(f"{place(name, text, error.position)}: not YAML: {error.reason}.") from None
    return YamlText(name, value, places)


def _in_words(problem: str) -> str:
    """What is wrong, with words of ours for what the reader calls <stream end> and the like."""
    return re.sub(r"'<(.+?)>'", lambda called: TOKENS.get(called[1], f"a {called[1]}"), problem)


def place(name: str, text: str, position: int) -> str:
    """ "run.yaml:3:14" for a place in its text."""
    before = text[:position].replace("\r\n", "\n").replace("\r", "\n")
    return f"{name}:{before.count(NEWLINE) + 1}:{len(before) - before.rfind(NEWLINE)}"


class _Loader(yaml.SafeLoader):
    """Scalars by the core schema of YAML 1.2, nested so deep and no deeper."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=mark)
        self.depth += 1
        node: yaml.Node | None = yaml.SafeLoader.compose_node(self, parent, index)
        self.depth -= 1
        return node


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _starts: list[str | None] = ["" if c == "\0" else c for c in _first]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _starts)


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(node.value, 0) if node.value.startswith(("0o", "0x")) else int(node.value)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _check(
    node: yaml.Node, path: Path, places: dict[Path, tuple[int, int]], name: str, seen: set[int], aliases: list[int]
) -> None:
    """Record where each key stands; refuse duplicate keys and documents that alias themselves large."""
    own = (node.start_mark.line + 1, node.start_mark.column + 1)
    if id(node) in seen:
        aliases[0] += 1
        if aliases[0] > MAX_ALIASES or len(path) > DEEPEST:
            raise UsageError(f"{name}:{own[0]}:{own[1]}: there are too many aliases, or one of itself.")
    seen.add(id(node))
    places.setdefault(path, own)
    if node.tag != _plain_tag(node):
        raise UsageError(f"{name}:{own[0]}:{own[1]}: tags such as {node.tag!r} are not read; write the value plainly.")
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")) and len(node.value) > LONGEST_NUMBER:
        raise UsageError(f"{name}:{own[0]}:{own[1]}: the number is too long.")
    inner: Iterable[tuple[str | int, yaml.Node]]
    if isinstance(node, yaml.MappingNode):
        inner = _values(node, path, places, name)
    elif isinstance(node, yaml.SequenceNode):
        inner = enumerate(node.value)
    else:
        return
    for key, value in inner:
        _check(value, (*path, key), places, name, seen, aliases)


def _values(
    node: yaml.MappingNode, path: Path, places: dict[Path, tuple[int, int]], name: str
) -> Iterator[tuple[str, yaml.Node]]:
    """The keys of a mapping and their values, each when the place of its key has been recorded."""
    first: dict[Hashable, int] = {}
    for key, value in node.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<" or key.tag != "tag:yaml.org,2002:str":
            raise UsageError(f"{name}:{line}:{column}: keys must be plain words.")
        if key.value in first:
            raise UsageError(f"{name}:{line}:{column}: duplicate key {key.value!r} (first at line {first[key.value]}).")
        first[key.value] = line
        places[(*path, key.value)] = (line, column)
        yield key.value, value


def _plain_tag(node: yaml.Node) -> str:
    """What a node is when its tag is not written out."""
    if isinstance(node, yaml.ScalarNode) and node.style is None:
        return str(_Loader("").resolve(yaml.ScalarNode, node.value, (True, False)))  # type: ignore[no-untyped-call]
    kind = "map" if isinstance(node, yaml.MappingNode) else "seq" if isinstance(node, yaml.SequenceNode) else "str"
    return f"tag:yaml.org,2002:{kind}"


def dump(value: object) -> str:
    """YAML in block style that `parse` reads back to the same value."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
    return yaml_escaped(text)


class _Dumper(yaml.SafeDumper):
    """Text is quoted wherever either version of YAML would read it as something else."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """In double quotes where it holds what stands there as an escape."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if harmful(text) else None)


_Dumper.add_representer(str, _text)
