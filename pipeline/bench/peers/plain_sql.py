"""The limit: SQL written by hand, its JSON sent as it is by a minimal route, over the same driver and pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Engine, event

from pipeline.bench.peers import plain_sql_postgres, plain_sql_sqlite
from pipeline.store.paging import decode, encode

Parameters = dict[str, Any]


def answering(engine: Engine) -> Callable[[str, Mapping[str, Any]], bytes]:
    """Return what answers a document, by its name, with variables; bytes of a GraphQL response."""
    return _OnSqlite(engine).answer if engine.dialect.name == "sqlite" else _OnPostgres(engine).answer


_ROOTS = {
    "One": "molecule",
    "Twenty": "moleculesByCode",
    "Board": "programmes",
    "Records": "study",
    "Deep": "molecules",
}


def _given(variables: Mapping[str, Any]) -> Parameters:
    """Return variables as parameters: cursors read, moments as the store keeps them."""
    given = dict(variables)
    after = given.pop("after", None)
    if "study" in given:
        given["from"] = given["from"].removesuffix("T00:00:00Z")
        given["to"] = given["to"].removesuffix("Z") + "~"
    elif "first" in given:
        key = [] if after is None else decode(after, 2 if _is_pair(after) else 1)
        given |= {"after": key[0] if len(key) == 1 else 0, "code": key[0] if len(key) == 2 else ""}
        given["number"] = key[1] if len(key) == 2 else 0
    return given


def _is_pair(cursor: str) -> bool:
    return cursor.startswith("WyJ")  # an array that begins with a text


def _without_transactions(raw: Any, _record: object) -> None:
    raw.autocommit = True  # a single statement sees one moment by itself


class _OnPostgres:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        event.listen(engine, "connect", _without_transactions)

    def answer(self, name: str, variables: Mapping[str, Any]) -> bytes:
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(plain_sql_postgres.STATEMENTS[name], _given(variables))
            (text,) = cursor.fetchone() or ("null",)
        finally:
            raw.close()
        return b'{"data":{"%b":%b}}' % (_ROOTS[name].encode(), text.encode())


class _OnSqlite:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def answer(self, name: str, variables: Mapping[str, Any]) -> bytes:
        given = _given(variables)
        raw = self.engine.raw_connection()
        try:
            text = getattr(self, f"_{name.lower()}")(raw.cursor(), given)
        finally:
            raw.close()
        return b'{"data":{"%b":%b}}' % (_ROOTS[name].encode(), text.encode())

    def _one(self, cursor: Any, given: Parameters) -> str:
        (text,) = cursor.execute(plain_sql_sqlite.STATEMENTS["One"], given).fetchone() or ("null",)
        return str(text)

    def _twenty(self, cursor: Any, given: Parameters) -> str:
        codes = orjson.dumps(given["codes"]).decode()
        rows = cursor.execute(plain_sql_sqlite.STATEMENTS["Twenty"], {"codes": codes}).fetchall()
        return f"[{','.join([row[0] for row in rows])}]"

    def _page(self, cursor: Any, name: str, given: Parameters) -> tuple[list[tuple[Any, ...]], str]:
        """Return the rows of a page, and whether there are more as JSON."""
        size = given["first"]
        rows = cursor.execute(plain_sql_sqlite.STATEMENTS[name], given | {"more": size + 1}).fetchall()
        return rows[:size], "true" if len(rows) > size else "false"

    def _board(self, cursor: Any, given: Parameters) -> str:
        rows, more = self._page(cursor, "Board", given)
        end = f'"{encode([rows[-1][0]])}"' if rows else "null"
        nodes = ",".join([row[1] for row in rows])
        return f'{{"nodes":[{nodes}],"pageInfo":{{"hasNextPage":{more},"endCursor":{end}}}}}'

    def _records(self, cursor: Any, given: Parameters) -> str:
        cursor.execute("BEGIN")  # two statements, of one moment; given back, the connection rolls back
        found = cursor.execute(plain_sql_sqlite.STATEMENTS["Study"], given).fetchone()
        if found is None:
            return "null"
        rows, more = self._page(cursor, "Records", given | {"id": found[0]})
        end = f'"{encode([rows[-1][2], rows[-1][0]])}"' if rows else "null"
        nodes = ",".join([row[1] for row in rows])
        page = f'{{"nodes":[{nodes}],"pageInfo":{{"hasNextPage":{more},"endCursor":{end}}}}}'
        return f'{{"code":{orjson.dumps(found[1]).decode()},"monitoring":{page}}}'

    def _deep(self, cursor: Any, given: Parameters) -> str:
        rows, more = self._page(cursor, "Deep", given)
        cursors = [f'"{encode([row[2], row[0]])}"' for row in rows]
        edges = [f'{{"cursor":{cursor},"node":{row[1]}}}' for cursor, row in zip(cursors, rows, strict=True)]
        before = "true" if given["number"] else "false"
        end = cursors[-1] if cursors else "null"
        info = f'"hasNextPage":{more},"hasPreviousPage":{before},"endCursor":{end}'
        return f'{{"edges":[{",".join(edges)}],"pageInfo":{{{info}}}}}'
