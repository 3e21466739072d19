"""Ad-hoc SQL run: scoped to one project and held within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vagus.errors import BadInput, StoreError
from vagus.present.functions import pure_functions_sql
from vagus.present.sandbox import fence, scope_sql
from vagus.store.engine import Engine

MAX_ROWS = 10_000
MAX_SECONDS = 20
MAX_MEMORY_BYTES = 512 * 1024**2
MAX_RESULT_BYTES = 64 * 1024**2

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
# What the engine says when a limit of ours was passed.
_LIMITS = {
    "159": f"{MAX_SECONDS} s",
    "160": f"{MAX_SECONDS} s",
    "241": f"{MAX_MEMORY_BYTES // 1024**2} MiB of memory",
    "396": f"{MAX_RESULT_BYTES // 1024**2} MiB of result",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of an answer with the name and engine type of each column."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    is_truncated: bool


def run_sql(engine: Engine, project: str, query: str, limit: int = MAX_ROWS) -> Answer:
    """The answer to one SELECT over one project; raises `BadInput` for what is wrong with it."""
    functions = frozenset(engine.query(pure_functions_sql())["name"])
    sql = scope_sql(query, functions)
    params = {"project": project}
    settings = {
        **fence(project),
        "max_execution_time": MAX_SECONDS,
        "max_memory_usage": MAX_MEMORY_BYTES,
        "max_result_bytes": MAX_RESULT_BYTES,
        "limit": limit + 1,
    }
    try:
        described = engine.query(f"DESCRIBE ({sql})", params, fence(project))
        columns = list(zip(described["name"], described["type"], strict=True))
        _check_names([name for name, _ in columns])
        rows = [list(row) for row in engine.query(sql, params, settings).rows()]
    except StoreError as e:
        raise _refusal(e) from e
    return Answer(columns, rows[:limit], len(rows) > limit)


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(
            f"two columns are called {twice[0][:80]!r}; give one another name with AS",
            field="query",
        )


def _refusal(error: StoreError) -> StoreError | BadInput:
    """What the engine did not like about the query, which is the caller's to mend."""
    found = _CODE.search(str(error))
    if found is None:
        return error
    limit = _LIMITS.get(found[1])
    if limit:
        return BadInput("the query passed a limit", field="query", limit=limit)
    return BadInput(f"the engine refused the query: {found[2][:300]}", field="query")
