"""The rooms of the house: who may import whom, and what a registry is."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.latents import LATENTS
from em_cli.registry import Registry
from em_cli.sources.schema import TYPES

PACKAGE = Path(__file__).parents[1] / "em_cli"
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (
    ("errors", "printable"),
    ("registry", "memory"),
    ("engine", "parts"),
    ("criteria",),
    ("sources", "families", "latents", "algorithms", "starts", "runners"),
    ("search", "documents"),
    ("inference", "config"),
    ("models", "testing"),
    ("display", "outputs", "reports", "exports"),
    ("options",),
    ("runs",),
    ("postestimation",),
    ("commands",),
    ("app", "library"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
AXES = ("sources", "families", "latents", "algorithms", "starts", "runners")
HOME = {
    "pandas": {"sources"},
    "pyarrow": {"sources", "outputs"},
    "zstandard": {"sources"},
    "rich": {"display"},
    "typer": {"app", "commands", "options"},
    "click": {"app", "commands"},
    "yaml": {"config"},
    "pydantic": {"config", "outputs"},
    "pydantic_core": {"outputs"},
    "matplotlib": {"reports"},
    "jinja2": {"reports"},
    "onnx": {"exports"},
    "openpyxl": {"exports"},
    "fsspec": {"sources"},
    "dask": {"runners"},
    "distributed": {"runners"},
    "numpy": None,  # anywhere
    "scipy": None,
    "_typeshed": None,  # for type checkers, as the next
    "typing_extensions": None,
}
SPEAKERS = ("commands", "display", "inference", "outputs", "postestimation", "reports", "search")
LONGEST, LONGEST_FUNCTION, LONGEST_COMMAND = 400, 60, 40  # lines
# words of an earlier house: the field has others for what they named
FORMER = "crowd forgetful ground hear heard height journal lent mended quest recall return_to scout to_gain weighing"
ONE_MEANING = {
    "document": "what a model says of itself in params.json",
    "patterns": "of missing cells",
}  # of files in several rooms with one name
START_UP = {"typer"}  # libraries that `em --help` may wait for


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    return ".".join(("em_cli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


@dataclass(frozen=True)
class Module:
    """What a file says, read once; each with its line."""

    imports: list[tuple[str, int]]  # full names, wherever in it
    functions: list[tuple[str, int, int]]  # and their numbers of lines
    classes: list[tuple[str, int]]
    foreign: list[tuple[str, int]]  # names with an underscore that it uses and has not made


@cache
def module(path: Path) -> Module:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imports, functions, classes, private = [], [], [], []
    own = made_in(nodes)
    for node in nodes:
        if isinstance(node, ast.Import):
            imports += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            imports += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        elif isinstance(node, ast.FunctionDef):
            functions.append((node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1))
        elif isinstance(node, ast.ClassDef):
            classes.append((node.name, node.lineno))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            private += [] if node.attr in own else [(ast.unparse(node), node.lineno)]
    return Module(imports, functions, classes, private)


def made_in(nodes: list[ast.AST]) -> set[str]:
    """Names that a module gives to functions, to fields and to attributes of its own objects."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= {node.attr} if isinstance(node.value, ast.Name) and node.value.id == "self" else set()
    return names


def imported(path: Path) -> list[tuple[str, int]]:
    return module(path).imports


def test_imports_point_down():
    for path in FILES:
        home = room_of(path)
        if home in ("__init__", "__main__"):
            continue
        assert home in LEVEL, f"{home} is not a room of the house: add it to LAYERS, with the design"
        for name, line in imported(path):
            package, *inner = name.split(".")
            if package != "em_cli" or inner[0] in (home, "__version__"):
                continue
            assert inner[0] in LEVEL, f"{path}:{line}: {name}"
            assert LEVEL[inner[0]] < LEVEL[home], f"{path}:{line}: {home} may not import {inner[0]}"


def test_libraries_stay_in_their_rooms():
    for path in FILES:
        for name, line in imported(path):
            library = name.split(".")[0]
            if library == "em_cli" or library in sys.stdlib_module_names:
                continue
            assert library in HOME, f"{path}:{line}: {library} is no library of this program"
            rooms = HOME[library]
            assert rooms is None or room_of(path) in rooms, f"{path}:{line}: {library} belongs in {sorted(rooms or ())}"
            assert not name.startswith("scipy.stats"), f"{path}:{line}: scipy.stats takes 0.7 s to import"


def test_files_are_short():
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST, path


def test_functions_are_short():
    for path in FILES:
        for name, line, n_lines in module(path).functions:
            assert n_lines <= LONGEST_FUNCTION, f"{path}:{line}: {name} has {n_lines} lines"


def test_nobody_reaches_into_what_is_private():
    """Names with an underscore are used where they are made: in their module, or by `self`."""
    for path in FILES:
        for name, line in imported(path):
            home, _, last = name.rpartition(".")
            private = last.startswith("_") and not last.startswith("__")
            assert not (private and home.startswith("em_cli")), f"{path}:{line}: {name} is private to its module"
        for name, line in module(path).foreign:
            raise AssertionError(f"{path}:{line}: {name} is private to another module")


def test_no_two_files_of_one_name():
    """The families' folders are one room: each has its chart, its parameters and so on; a command is named by users."""
    rooms: dict[str, set[str]] = {}
    for path in FILES:
        folder = path.relative_to(PACKAGE).parent.parts
        if path.stem not in ("__init__", "__main__") and folder[:1] != ("commands",):
            rooms.setdefault(path.stem, set()).add("families/*" if folder[:1] == ("families",) else "/".join(folder))
    several = {name for name, found in rooms.items() if len(found) > 1}
    assert several == ONE_MEANING.keys(), "files of one name mean one thing, which ONE_MEANING tells"


def graph() -> dict[str, set[str]]:
    """What every module imports of the package, wherever in it: in a function too, or for type checkers alone."""
    modules = {module_of(path): path for path in FILES}
    found: dict[str, set[str]] = {}
    for own, path in modules.items():
        names = {name for name, _ in imported(path)}
        found[own] = {name if name in modules else name.rpartition(".")[0] for name in names} & modules.keys()
        found[own].discard(own)
    return found


def reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    """All modules that imports lead to from this one."""
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += edges[module]
    return found


def test_there_is_no_circle():
    edges = graph()
    beyond = {module: reached(module, edges) for module in edges}
    circles = {
        frozenset(m for m in beyond[module] if module in beyond[m]) for module in edges if module in beyond[module]
    }
    assert not circles, "files that import each other, however deep, are one file or need a third"


def test_commands_read_like_recipes():
    for path in (PACKAGE / "commands").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.end_lineno:
                assert node.end_lineno - node.lineno < LONGEST_COMMAND, f"{path}:{node.lineno}: {node.name}"


def test_what_the_field_has_a_word_for_is_called_by_it():
    """Functions and classes."""
    for path in FILES:
        for name, line, *_ in (*module(path).functions, *module(path).classes):
            assert name.lower() not in FORMER.split(), f"{path}:{line}: {name}"


def test_commands_share_nothing_but_what_lies_below():
    for path in (PACKAGE / "commands").glob("*.py"):
        for name, line in imported(path):
            assert not name.startswith("em_cli.commands"), f"{path}:{line}: a command imports another: {name}"


def test_the_program_starts_with_few_imports():
    code = "import sys, em_cli.app; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) & set(HOME) <= START_UP


def test_a_plain_fit_waits_for_no_library_that_it_does_not_need(tmp_path):
    """SciPy takes a quarter of a second to import, and twelve megabytes."""
    code = (
        "import sys; from em_cli.app import main\n"
        "sys.argv = ['em', 'fit', sys.argv[1], '-k', '2', '--restarts', '1', '-q']\n"
        "try: main()\n"
        "finally: assert not {'scipy', 'matplotlib'} & set(sys.modules)"
    )
    data = PACKAGE.parent / "sample_data" / "faithful.csv"
    subprocess.run([sys.executable, "-c", code, data], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / "faithful-k2.em" / "params.json").exists()


def test_engine_knows_no_part_by_name():
    for path in (PACKAGE / "engine").glob("*.py"):
        for name, line in imported(path):
            package, *inner = name.split(".")
            assert package != "em_cli" or inner[0] in ("engine", "registry", "errors"), f"{path}:{line}: {name}"


def test_what_tells_of_fits_knows_no_family_and_no_latent_structure_by_name():
    """What differs between them they declare themselves. Some are called as a picture, or a field of documents, is."""
    names = {*FAMILIES, *LATENTS, *COVARIANCES} - {"concomitant", "noise", "pairs", "regression", "topics", *TYPES}
    for path in (path for room in SPEAKERS for path in (PACKAGE / room).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Constant) and node.value in names), f"{path}:{node.lineno}: {node.value}"


def registries() -> list[tuple[str, Registry]]:
    found = []
    for path in sorted(PACKAGE.rglob("__init__.py")):
        module = ".".join(("em_cli", *path.relative_to(PACKAGE).parent.parts))
        found += [(module, value) for value in vars(import_module(module)).values() if isinstance(value, Registry)]
    return found


@pytest.mark.parametrize("axis", [axis for axis in AXES if (PACKAGE / axis).exists()])
def test_the_init_of_an_axis_holds_only_its_registry(axis):
    path = PACKAGE / axis / "__init__.py"
    docstring, *body = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr), f"{path} says in a docstring what the axis is"
    for node in body:
        if isinstance(node, ast.ImportFrom):
            assert node.module == "em_cli.registry" or str(node.module).startswith("em_cli.engine.")  # the protocol
        else:
            assert isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            typed = node.value.func
            assert isinstance(typed, ast.Subscript) and isinstance(typed.value, ast.Name), "a registry says of what"
            assert typed.value.id == "Registry"


@pytest.mark.parametrize(("module", "registry"), registries(), ids=lambda value: getattr(value, "kind", ""))
def test_every_registered_part_is_there(module, registry):
    for name, address in registry.items():
        part = registry.load(name)
        assert part.__doc__ or import_module(address.partition(":")[0]).__doc__, f"{address} says nothing of itself"
        assert address.startswith(f"{module}."), f"{name} lives in {address}, not in {module}"


def test_every_module_can_be_imported():
    for path in FILES:
        if path.name != "__main__.py":
            import_module(module_of(path))


def test_parts_are_frozen():
    for _, registry in registries():
        for name in registry:
            part = registry.load(name)
            if isinstance(part, type):
                assert part.__dataclass_params__.frozen, f"{name} is a frozen dataclass: its fields are its options"
