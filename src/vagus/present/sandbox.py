"""Ad-hoc SQL made safe: read-only, known tables, one project.

The text that runs is never the text that came. It is parsed, every node of the tree must be of a
known harmless kind, every table must be on a short list and is replaced by a subquery that keeps
one project's rows, every function must be on the engine's own list of pure functions, and the
SQL is then written anew. What is not known to be harmless is refused.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from vagus.errors import BadInput
from vagus.present.functions import is_harmless

MAX_CHARS = 20_000
MAX_NESTING = 40
MAX_NODES = 5_000
MAX_NUMBERS = 10_000_000

# sqlglot warns when it falls back to an opaque command; such a command is refused here anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_SPAN_ALIASES = "start, duration_ms, attributes, resource"
_SETTLED = "SELECT * EXCEPT (sign, version) FROM {table} FINAL WHERE project = {{project:String}}"

# What each table name stands for. Settled tables are read through FINAL, so that nobody sees the
# cancelling rows; alias columns are not part of `*` and are named.
TABLES = {
    "spans": f"SELECT *, {_SPAN_ALIASES} FROM spans WHERE project = {{project:String}}",
    "logs": "SELECT *, time, attributes FROM logs WHERE project = {project:String}",
    "metric_points": (
        "SELECT *, time, attributes FROM metric_points WHERE project = {project:String}"
    ),
    "traces": _SETTLED.format(table="traces"),
    "steps": _SETTLED.format(table="steps"),
    "ledger": _SETTLED.format(table="steps") + " AND is_billable = 1",
    "scores": _SETTLED.format(table="scores"),
    "repricings": "SELECT * FROM repricings WHERE project = {project:String}",
}

# The engine's own setting that filters a table wherever it is read: a second fence, which does
# not depend on the parser here.
FENCED = ("spans", "logs", "metric_points", "traces", "steps", "scores", "repricings")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that may stand before a parenthesis without being a function.
_WORDS = _words(
    "in and or not as select from join on where having by union all over using except "
    "replace then when else case between like ilike distinct limit offset cast with exists "
    "interval columns intersect is div mod any sets rollup cube totals asc desc final"
)
_COMMON_PREFIX = "__with__"
_QUERY_ARGS = _words(
    "with_ expressions distinct from_ joins where group having qualify order limit "
    "offset windows this expression by_name side alias"
)
_TABLE_ARGS = frozenset({"this", "alias", "joins"})
_NODES: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From,
    exp.Join, exp.Table, exp.Final, exp.TableAlias, exp.Where, exp.Group, exp.Having,
    exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Star, exp.Column,
    exp.Identifier, exp.Alias, exp.Literal, exp.RawString, exp.Null, exp.Boolean, exp.Paren,
    exp.Tuple, exp.Array, exp.Binary, exp.Unary, exp.Func, exp.Case, exp.If, exp.Between, exp.In,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Window, exp.WindowSpec,
    exp.Lambda, exp.Bracket, exp.Slice, exp.Dot, exp.Exists, exp.Cube, exp.Rollup,
    exp.GroupingSets, exp.PropertyEQ, exp.Aliases,
)  # fmt: skip


def scope_sql(query: str, functions: Collection[str]) -> str:
    """The query rewritten to read one project, which is given as the parameter `project`.

    `functions` are the lower-case names that `pure_functions_sql` finds. Raises `BadInput` for
    anything that is not a single harmless SELECT.
    """
    tree = _parse(query)
    nodes = list(tree.walk())
    if len(nodes) > MAX_NODES:
        raise BadInput("the query is too large", field="query", limit=f"{MAX_NODES} terms")
    for node in nodes:
        _check_node(node)
    tree = _rename_common_tables(tree)
    tree = _scope_tables(tree)
    for literal in list(tree.find_all(exp.Literal, exp.RawString)):
        _quote_string(literal)
    sql = tree.sql(dialect="clickhouse", comments=False)
    tokens = sqlglot.tokenize(sql, dialect="clickhouse")
    _check_functions(tokens, functions)
    _check_sources(tokens)
    return sql


def fence(project: str) -> dict[str, int | str]:
    """The engine settings under which scoped SQL runs.

    The table filters keep one project's rows once more, independent of the parser here. The rest
    makes the engine apply the project's condition before it looks at any expression of the
    user's: otherwise a conversion that fails on a foreign row would show it in its message.
    """
    condition = f"project = {_quoted(project)}"
    filters = ", ".join(f"{_quoted(name)}: {_quoted(condition)}" for name in FENCED)
    return {
        "additional_table_filters": "{" + filters + "}",
        "optimize_move_to_prewhere": 0,
        "query_plan_optimize_prewhere": 0,
        "query_plan_merge_filters": 0,
        "short_circuit_function_evaluation": "force_enable",
    }


def _parse(query: str) -> exp.Expr:
    if len(query) > MAX_CHARS:
        raise BadInput("the query is too long", field="query", limit=f"{MAX_CHARS} characters")
    if "\x00" in query:
        raise BadInput("the query holds a zero byte", field="query")
    if _nesting(query) > MAX_NESTING:
        raise BadInput("the query is nested too deep", field="query", limit=str(MAX_NESTING))
    try:
        found = sqlglot.parse(query, dialect="clickhouse")
    except SqlglotError as e:
        # The parser underlines the place with terminal escapes; only its first line is wanted.
        message = str(e).splitlines()[0]
        raise BadInput(f"the query cannot be parsed: {message}", field="query") from e
    except RecursionError as e:
        raise BadInput("the query is nested too deep", field="query") from e
    statements = [
        tree for tree in found if tree is not None and not isinstance(tree, exp.Semicolon)
    ]
    if len(statements) != 1:
        raise BadInput("send exactly one SELECT statement", field="query")
    (tree,) = statements
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise BadInput("only SELECT is allowed here", field="query")
    return tree


def _nesting(query: str) -> int:
    depth = deepest = 0
    for letter in query:
        if letter in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in ")]}":
            depth -= 1
    return deepest


def _check_node(node: exp.Expr) -> None:
    if not isinstance(node, _NODES):
        raise _refused(node)
    if isinstance(node, exp.Query) and not isinstance(node, exp.Table):
        _only_args(node, _QUERY_ARGS)
    if isinstance(node, exp.Table):
        _only_args(node, _TABLE_ARGS)
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise BadInput("WITH RECURSIVE is not allowed here", field="query")
    if isinstance(node, exp.TableAlias) and node.args.get("columns"):
        raise BadInput("column lists after a table alias are not allowed here", field="query")
    if isinstance(node, exp.Identifier):
        _check_identifier(str(node.this))
    if isinstance(node, exp.In):
        _check_in(node)
    if isinstance(node, exp.Select) and not node.expressions:
        raise BadInput("SELECT needs at least one expression", field="query")
    if isinstance(node, exp.From | exp.Join):
        _check_source(node)
    if isinstance(node, exp.Var | exp.Anonymous) and not _is_plain(str(node.name)):
        raise BadInput(f"{node.name!r} is not a name", field="query")
    if isinstance(node, exp.DataType | exp.DataTypeParam | exp.Interval):
        _check_type(node)


def _only_args(node: exp.Expr, allowed: frozenset[str]) -> None:
    for name, value in node.args.items():
        if value and name not in allowed:
            raise BadInput(f"{name.strip('_').upper()} is not allowed here", field="query")


def _refused(node: exp.Expr) -> BadInput:
    if isinstance(node, exp.Placeholder | exp.Parameter):
        return BadInput("query parameters are not allowed here", field="query")
    return BadInput(f"{node.key.upper()} is not allowed here", field="query")


def _check_identifier(name: str) -> None:
    if not name.isprintable() or any(letter in "\"`\\'" for letter in name):
        raise BadInput(
            "names must not hold quotes, backslashes or control characters", field="query"
        )


def _is_plain(name: str) -> bool:
    return name.replace("_", "").replace(" ", "").isalnum() and name.isascii()


def _check_in(node: exp.In) -> None:
    field = node.args.get("field")
    if field is not None and not isinstance(field, exp.Array | exp.Tuple):
        raise BadInput("the right side of IN must be a list or a SELECT", field="query")
    if any(isinstance(item, exp.Column | exp.Dot | exp.Alias) for item in node.expressions):
        raise BadInput("the list of IN must hold values, not names", field="query")


def _check_source(node: exp.Expr) -> None:
    """Rows come from tables and subqueries only; inside ARRAY JOIN the parser sees no tables."""
    if str(node.args.get("kind") or "").upper() == "ARRAY":
        if node.find(exp.Query) is not None:
            raise BadInput("ARRAY JOIN takes columns, not a SELECT", field="query")
        return
    source = node.this.this if isinstance(node.this, exp.Final) else node.this
    if not isinstance(source, exp.Table | exp.Subquery) or node.expressions:
        raise BadInput("rows come from tables and subqueries only", field="query")


def _check_type(node: exp.Expr) -> None:
    for literal in node.find_all(exp.Literal):
        text = str(literal.this)
        if not text.replace("/", "").replace("_", "").replace("-", "").replace(".", "").isalnum():
            raise BadInput(f"{text!r} cannot be part of a type or interval", field="query")


def _rename_common_tables(tree: exp.Expr) -> exp.Expr:
    """Give every WITH table a name no stored table has, so that a scope mistake finds nothing."""
    names = set()
    for common in tree.find_all(exp.CTE):
        if common.args.get("scalar"):
            continue
        name = common.alias
        if name in TABLES:
            raise BadInput(f"WITH must not redefine the table {name!r}", field="query")
        names.add(name)
        common.set("alias", _alias(_common_name(name)))
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or table.name not in names:
            continue
        if not table.alias:
            table.set("alias", _alias(table.name))
        table.set("this", exp.to_identifier(_common_name(table.name), quoted=True))
        table.meta["common"] = True
    return tree


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


def _common_name(name: str) -> str:
    return _COMMON_PREFIX + name


def _scope_tables(tree: exp.Expr) -> exp.Expr:
    for final in list(tree.find_all(exp.Final)):
        # What is read is final already, and a subquery cannot be.
        final.replace(final.this)
    for table in list(tree.find_all(exp.Table)):
        if table.meta.get("common"):
            continue
        if isinstance(table.this, exp.Anonymous):
            _check_numbers(table.this)
            continue
        if not isinstance(table.this, exp.Identifier) or table.name not in TABLES:
            known = ", ".join(TABLES)
            raise BadInput(
                f"no table {table.sql('clickhouse')[:80]!r}; there are {known}", field="query"
            )
        inner = sqlglot.parse_one(TABLES[table.name], dialect="clickhouse")
        alias = _alias(table.alias or table.name)
        table.replace(exp.Subquery(this=inner, alias=alias, joins=table.args.get("joins")))
    return tree


def _check_numbers(call: exp.Anonymous) -> None:
    if str(call.this).lower() != "numbers":
        raise BadInput(f"the table function {call.name!r} is not allowed here", field="query")
    for item in call.expressions:
        if not isinstance(item, exp.Literal) or item.is_string or not str(item.this).isdigit():
            raise BadInput("numbers() takes whole numbers", field="query")
        if int(item.this) > MAX_NUMBERS:
            raise BadInput("numbers() is too large", field="query", limit=str(MAX_NUMBERS))


def _quote_string(literal: exp.Expr) -> None:
    """Write strings that need escapes ourselves: their quoting is what injections live on."""
    text = str(literal.this)
    if isinstance(literal, exp.Literal) and not literal.is_string:
        return
    if "'" in text or "\\" in text or isinstance(literal, exp.RawString):
        literal.replace(exp.Var(this=_quoted(text)))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _check_functions(tokens: list[Token], functions: Collection[str]) -> None:
    for name in _called(tokens):
        if not is_harmless(name, functions):
            raise BadInput(f"the function {name!r} is not allowed here", field="query")


def _check_sources(tokens: list[Token]) -> None:
    """Look once more at the text that will run: what follows FROM and JOIN must be known."""
    known = {*FENCED, "(", "numbers"}
    for before, word, source in zip([None, *tokens], tokens, tokens[1:], strict=False):
        if word.token_type not in (TokenType.FROM, TokenType.JOIN):
            continue
        if before is not None and before.token_type is TokenType.ARRAY:
            continue
        if source.text not in known and not source.text.startswith(_COMMON_PREFIX):
            raise BadInput(f"rows cannot come from {source.text[:80]!r} here", field="query")


def _called(tokens: list[Token]) -> Iterator[str]:
    for word, follower in itertools.pairwise(tokens):
        if follower.token_type is not TokenType.L_PAREN or not _is_word(word):
            continue
        if word.token_type is TokenType.IDENTIFIER or word.text.lower() not in _WORDS:
            yield word.text


def _is_word(token: Token) -> bool:
    if token.token_type in (TokenType.STRING, TokenType.NUMBER):
        return False
    return (
        token.token_type is TokenType.IDENTIFIER
        or token.text[:1].isalpha()
        or token.text[:1] == "_"
    )
