"""Pages are held to the code: what they link to, name and run is there, and the picture of the rooms is true."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from keyword import iskeyword
from pathlib import Path

import pytest
import yaml
from program import ROOT
from test_architecture import LAYERS, PACKAGE

from em_cli import __version__
from em_cli.runs.guide_pages import TOPICS

TESTS = ROOT / "tests"
PAGES = [ROOT / "README.md", *sorted(PACKAGE.rglob("*.md")), *sorted(TESTS.rglob("*.md"))]
HOUSE = [PACKAGE / "README.md", *sorted((PACKAGE / "families").rglob("README.md")), TESTS / "README.md"]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
PLACE = re.compile(r"(?<![\w/.-])(?:[\w-]+/)*[\w-]+\.(?:py|md|toml)\b|(?<![\w/.-])(?:[\w-]+/)+(?:[\w-]+)?")
NAME = re.compile(r"(?<![\w/.-])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?![\w/-]|\.\w)")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=relative)
each_page_of_the_house = pytest.mark.parametrize("page", HOUSE, ids=relative)


def codes(page: Path) -> Iterator[str]:
    """What a page says in code: commands, and words among the others; programs and pictures are left out."""
    text = page.read_text("utf-8")
    yield from (block for language, block in FENCED.findall(text) if language == "sh")
    yield from SPAN.findall(FENCED.sub("", text))


def slugs(page: Path) -> set[str]:
    """The anchors of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page):
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        assert target.exists(), f"{relative(page)} links to {link}"
        assert not anchor or anchor in slugs(target), f"{relative(page)} links to {link}"


@each_page_of_the_house
def test_files_that_are_named_are_there(page):
    named = {place for code in codes(page) for place in PLACE.findall(code)}
    beneath = {path.name for path in page.parent.rglob("*.py")}
    bases = (page.parent, ROOT, PACKAGE, TESTS)
    assert not sorted(
        place for place in named if place not in beneath and not any((base / place).exists() for base in bases)
    )


@each_page_of_the_house
def test_names_are_those_of_the_code(page):
    """Words with a capital, an underscore or a dot are names."""
    words = {word for code in codes(page) for word in NAME.findall(re.sub(r"#.*", "", code))}
    names = {word for word in words if re.search(r"[A-Z_.]", word) and not PLACE.fullmatch(word)}
    assert not sorted(name for name in names if not is_known(name))


@each_page_of_the_house
def test_targets_of_make_are_there(page):
    targets = {target for code in codes(page) for target in re.findall(r"^make (\w+)", code, re.MULTILINE)}
    assert targets <= set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))


def test_the_picture_of_the_rooms_is_that_of_the_layers():
    picture = next(block for language, block in FENCED.findall(HOUSE[0].read_text("utf-8")) if language == "text")
    shown = [set(re.split(r" {2,}", line.strip())[0].split()) for line in picture.splitlines()]
    layers = [{room for room in rooms if is_room(room)} for rooms in reversed(LAYERS)]
    assert shown == [rooms for rooms in layers if rooms]


def is_room(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()


def is_known(name: str) -> bool:
    """Whether it is a module of the package, a member of a class, or any other name of the code, a test's included."""
    owner, _, member = name.rpartition(".")
    if name.partition(".")[0] == "em_cli":
        place = ROOT / name.replace(".", "/")
        return place.is_dir() or place.with_suffix(".py").exists()
    names, members = index()
    if owner in members:
        return member in members[owner]
    name = member
    return (
        name in names or f"test_{name}" in names or iskeyword(name) or re.search(rf"\b{name}\b", MAKEFILE) is not None
    )


@cache
def index() -> tuple[set[str], dict[str, set[str]]]:
    """All names that the code defines or imports, and the members of each class."""
    names: set[str] = set()
    members: dict[str, set[str]] = {}
    for path in (*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names.update(named(node))
            if isinstance(node, ast.ClassDef):
                members.setdefault(node.name, set()).update(name for inner in node.body for name in named(inner))
    return names, members


def named(node: ast.AST) -> list[str]:
    """The names that a statement gives."""
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.name for alias in node.names]
        case ast.AnnAssign():
            return [node.target.id] if isinstance(node.target, ast.Name) else []
        case ast.Assign():
            return [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        case _:
            return []


def test_the_site_leads_to_every_page():
    site = (PACKAGE / "guide" / "mkdocs.yml").read_text(encoding="utf-8")
    linked = re.findall(r": ([a-z-]+)\.md\b", site)
    assert sorted(linked) == sorted([*TOPICS, "index", "changelog"]), "em_cli/guide/mkdocs.yml: nav"


def test_what_is_to_be_cited_is_this_program():
    """The block of the guide is a citation file of the version that there is."""
    guide, project = (PACKAGE / "guide/benchmarks.md").read_text("utf-8"), tomllib.loads(PYPROJECT)["project"]
    (block,) = (text for language, text in FENCED.findall(guide) if language == "cff")
    told = yaml.safe_load(block)
    assert {"cff-version", "message", "type", "title", "authors"} <= set(told)
    assert (told["version"], told["license"]) == (__version__, project["license"])
    assert told["title"].lower() == f"em: {project['description'].lower()}"
