"""The rooms of the house: who may import whom, and what a registry is."""

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

from em_cli.registry import Registry

PACKAGE = Path(__file__).parents[1] / "em_cli"
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (
    ("errors",),
    ("registry", "memory"),
    ("engine",),
    ("criteria",),
    ("sources", "families", "latents", "algorithms", "starts", "runners"),
    ("search",),
    ("inference", "config"),
    ("models",),
    ("display", "outputs", "reports"),
    ("options",),
    ("runs",),
    ("commands",),
    ("app",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
AXES = ("sources", "families", "latents", "algorithms", "starts", "runners")
HOME = {
    "pandas": {"sources"},
    "pyarrow": {"sources"},
    "zstandard": {"sources"},
    "rich": {"display"},
    "typer": {"app", "commands", "options"},
    "click": {"app", "commands"},
    "yaml": {"config"},
    "pydantic": {"config", "outputs"},
    "pydantic_core": {"outputs"},
    "matplotlib": {"reports"},
    "jinja2": {"reports"},
    "dask": {"runners"},
    "distributed": {"runners"},
    "numpy": None,  # anywhere
    "scipy": None,
    "_typeshed": None,  # for type checkers
}
LONGEST = 400  # lines

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> list[tuple[str, int]]:
    """Full names of what a file imports, wherever in it, and the lines."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            names += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return names


@each_file
def test_imports_point_down(path):
    home = room_of(path)
    if home in ("__init__", "__main__"):
        return
    assert home in LEVEL, f"{home} is not a room of the house: add it to LAYERS, with the design"
    for name, line in imported(path):
        package, *inner = name.split(".")
        if package != "em_cli" or inner[0] in (home, "__version__"):
            continue
        assert inner[0] in LEVEL, f"{path}:{line}: {name}"
        assert LEVEL[inner[0]] < LEVEL[home], f"{path}:{line}: {home} may not import {inner[0]}"


@each_file
def test_libraries_stay_in_their_rooms(path):
    for name, line in imported(path):
        library = name.split(".")[0]
        if library == "em_cli" or library in sys.stdlib_module_names:
            continue
        assert library in HOME, f"{path}:{line}: {library} is no library of this program"
        rooms = HOME[library]
        assert rooms is None or room_of(path) in rooms, f"{path}:{line}: {library} belongs in {sorted(rooms or ())}"
        assert not name.startswith("scipy.stats"), f"{path}:{line}: scipy.stats takes 0.7 s to import"


@each_file
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_engine_knows_no_part_by_name():
    for path in (PACKAGE / "engine").glob("*.py"):
        for name, line in imported(path):
            package, *inner = name.split(".")
            assert package != "em_cli" or inner[0] in ("engine", "registry", "errors"), f"{path}:{line}: {name}"


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
            assert node.module == "em_cli.registry"
        else:
            assert isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            assert isinstance(node.value.func, ast.Name) and node.value.func.id == "Registry"


@pytest.mark.parametrize(("module", "registry"), registries(), ids=lambda value: getattr(value, "kind", ""))
def test_every_registered_part_is_there(module, registry):
    for name, address in registry.items():
        part = registry.load(name)
        assert part.__doc__ or import_module(address.partition(":")[0]).__doc__, f"{address} says nothing of itself"
        assert address.startswith(f"{module}."), f"{name} lives in {address}, not in {module}"


def test_every_module_can_be_imported():
    for path in FILES:
        if path.name != "__main__.py":
            import_module(
                ".".join(("em_cli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
            )


def test_parts_are_frozen():
    for _, registry in registries():
        for name in registry:
            part = registry.load(name)
            if isinstance(part, type):
                assert part.__dataclass_params__.frozen, f"{name} is a frozen dataclass: its fields are its options"
