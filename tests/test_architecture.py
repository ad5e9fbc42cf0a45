"""The layout is kept by reading the code: who imports whom, who writes, who looks at the clock.

errors words dates units names access <- stages, science, exchange <- store <- commands, reports <- schema <- api
"""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
CODE = sorted(path for top in ("pipeline", "schema", "api") for path in (PROJECT / top).rglob("*.py"))

# What lies left of the store: it may import the foundation and each other, never the store or what stands on it.
FOUNDATION = {
    "errors",
    "words",
    "dates",
    "units",
    "names",
    "access",
    "rounding",
    "bounds",
    "outcome",
    "arguments",
    "synonyms",
}
ON_THE_STORE = {"commands", "reports", "centre", "demo", "bench"}
DATABASE = {"sqlalchemy", "alembic", "psycopg", "sqlite3"}
GRAPHQL = {"graphene", "graphql", "ariadne"}
WEB = {"starlette", "uvicorn", "websockets"}
SLOW = {"rdkit", "openpyxl", "networkx", "scipy", "statsmodels", "pandas"}


def module_of(path: Path) -> str:
    """Return a file's module, "pipeline.store.journal"."""
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, *, at_once: bool = False) -> set[str]:
    """Return the modules a file imports; `at_once`: only those it imports when it is itself imported."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                if not at_once:
                    for child in node.body:
                        visit(child)
                for child in node.orelse:
                    visit(child)
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if at_once:
                return
            case ast.Import():
                found.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def layer_of(module: str) -> str:
    """Return the layer a module of this project belongs to."""
    top, _, rest = module.partition(".")
    if top in {"schema", "api"}:
        return top
    if rest.startswith("bench.peers"):
        return "peers"  # servers of their own, to measure this one beside
    part = rest.split(".")[0]
    if part == "store":
        return "store"
    if part in ON_THE_STORE:
        return "application"
    return "foundation" if part in FOUNDATION else "domain"


MAY_IMPORT = {
    "foundation": {"foundation"},
    "domain": {"foundation", "domain"},
    "store": {"foundation", "domain", "store"},
    "application": {"foundation", "domain", "store", "application"},
    "schema": {"foundation", "domain", "store", "application", "schema"},
    "api": {"foundation", "domain", "store", "application", "schema", "api", "peers"},
    "peers": {"foundation", "store", "peers"},
}


def ours(modules: set[str]) -> set[str]:
    known = {module_of(path) for path in CODE}
    return {module for module in modules if module in known and module not in {"pipeline", "schema", "api"}}


def test_imports_point_inwards():
    wrong = [
        f"{module_of(path)} imports {module}"
        for path in CODE
        for module in sorted(ours(imports(path)))
        if module_of(path) != "pipeline" and layer_of(module) not in MAY_IMPORT[layer_of(module_of(path))]
    ]
    assert wrong == []


def tops(path: Path, *, at_once: bool = False) -> set[str]:
    return {module.split(".")[0] for module in imports(path, at_once=at_once)}


@pytest.mark.parametrize(
    ("layers", "forbidden"),
    [
        ({"foundation", "domain"}, DATABASE | GRAPHQL | WEB),
        ({"store", "application"}, GRAPHQL | WEB),
        ({"schema"}, WEB),
    ],
    ids=["no database left of the store", "no GraphQL left of the schema", "no server left of the transport"],
)
def test_libraries_stay_in_their_layer(layers, forbidden):
    wrong = [
        f"{module_of(path)} imports {', '.join(tops(path) & forbidden)}"
        for path in CODE
        if layer_of(module_of(path)) in layers and tops(path) & forbidden
    ]
    assert wrong == []


def test_the_database_driver_is_known_to_the_store_alone():
    wrong = [module_of(path) for path in CODE if tops(path) & {"psycopg", "sqlite3", "alembic"}]
    assert [module for module in wrong if layer_of(module) != "store"] == []


def test_slow_libraries_are_loaded_where_they_are_used():
    wrong = [
        f"{module_of(path)}: {tops(path, at_once=True) & SLOW}" for path in CODE if tops(path, at_once=True) & SLOW
    ]
    assert wrong == []


# ---------------------------------------------------------------- one door for writes

WRITES = {"insert", "update", "delete"}
WRITING_WORDS = ("insert into", "update ", "delete from", "copy ", "truncate ", "replace into", "drop table")
# The journal is the door. Guards make triggers, and migrations tables, before there are records; the benchmark writes
# the same rows barely, to a file it throws away, to compare the journal with.
MAY_WRITE = {
    *("pipeline.store.journal", "pipeline.store.guards", "pipeline.store.migrations"),
    *("pipeline.bench.imports", "pipeline.bench.monitoring"),
}


def writes_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "sqlalchemy":
                found += [f"{path.name}:{node.lineno} imports {a.name}" for a in node.names if a.name in WRITES]
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in WRITES and _is_table(value):
                found.append(f"{path.name}:{node.lineno} calls .{attr}()")
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                words = " ".join(text.lower().split()) + " "
                if words.startswith(WRITING_WORDS) and _is_sql(words):
                    found.append(f"{path.name}:{node.lineno} says {text[:40]!r}")
    return found


def _is_table(value: ast.expr) -> bool:
    """Tell a table (a name, or tables.name) from a dictionary or a digest that is updated."""
    from pipeline.store.columns import METADATA
    from pipeline.store.tables import RECORD_TABLES

    assert RECORD_TABLES
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in METADATA.tables or name in {"table", "source", "sqlalchemy", "sa"}
    return False


def _is_sql(words: str) -> bool:
    parts = words.split()
    match parts[0]:
        case "update":
            return "set" in parts
        case "copy":
            return "stdin" in parts or "stdout" in parts
    return True


def test_only_the_journal_writes():
    wrong = [write for path in CODE if module_of(path) not in MAY_WRITE for write in writes_in(path)]
    assert wrong == []
    assert writes_in(PROJECT / "pipeline/store/journal.py") != []


@pytest.mark.parametrize(
    "code",
    [
        "from sqlalchemy import insert",
        "from sqlalchemy.dialects.postgresql import insert",
        "molecules.update().values(name='x')",
        "tables.acts.delete()",
        "run('DELETE FROM acts')",
        "run(f'INSERT INTO {table} VALUES (1)')",
        "run('''\n  UPDATE acts\n SET actor = 1''')",
        "run('COPY acts FROM STDIN')",
    ],
)
def test_the_reading_of_writes_sees_them(tmp_path, code):
    (tmp_path / "sample.py").write_text(code)
    assert len(writes_in(tmp_path / "sample.py")) == 1


# ---------------------------------------------------------------- the clock

# Readers are handed the day that lies in the future; where they are not, they take the day it is.
MAY_ASK = {"pipeline.centre"} | {
    f"pipeline.exchange.{name}" for name in ("portfolio", "snapshots", "trial_stops", "trial_tables")
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "fromtimestamp"}


def clocks_in(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)):
                if attr in CLOCKS and owner in {"datetime", "date", "time", "dt"}:
                    found.append(f"{module_of(path)}:{node.lineno} asks {owner}.{attr}()")
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr=attr)):
                if attr in CLOCKS and owner in {"datetime", "date"}:
                    found.append(f"{module_of(path)}:{node.lineno} asks {owner}.{attr}()")
            case ast.ImportFrom(module="time", names=names) if any(a.name in CLOCKS for a in names):
                found.append(f"{module_of(path)}:{node.lineno} imports a clock")
    return found


def test_the_clock_is_handed_in():
    wrong = [
        clock
        for path in CODE
        if layer_of(module_of(path)) != "api" and module_of(path) not in MAY_ASK
        for clock in clocks_in(path)
    ]
    assert wrong == []
    assert clocks_in(PROJECT / "pipeline/centre.py") != []


# ---------------------------------------------------------------- results


def test_no_result_is_not_a_number_by_default():
    """A missing figure says why it is missing; a NaN that stands for it would be carried on unseen."""
    wrong = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(args=ast.arguments(defaults=defaults, kw_defaults=more)):
                    given = [default for default in (*defaults, *more) if default is not None]
                case ast.AnnAssign(value=ast.expr() as value):
                    given = [value]
                case _:
                    continue
            wrong += [f"{module_of(path)}:{default.lineno}" for default in given if _is_nan(default)]
    assert wrong == []


def _is_nan(value: ast.expr) -> bool:
    match value:
        case ast.Attribute(attr="nan") | ast.Name(id="nan"):
            return True
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))]):
            return text.lower() == "nan"
    return False
