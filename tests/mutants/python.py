"""Small defects of the Python that decides: every one that this grammar can write, of which a run samples some.

Why not a tool: mutmut 3.8 runs here, and quickly, but changes the bodies of functions only. Our windows, caps and rules stand in constants
of modules, in constraints of fields and behind decorators, which it leaves alone; two of five of its mutants were texts of messages; and
it has neither a sample by seed nor a place for reasons. cosmic-ray wants a database and sixteen packages, and starts pytest anew for each
mutant; mutatest has had no release since 2022, mutpy none since 2019.
"""

from __future__ import annotations

import ast
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("ar_workers/domain", "ar_workers/automations", "ar_workers/pipeline", "ar_workers/seals")

_OTHER_OPERATOR: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
}
_OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}
_VALIDATORS = {"field_validator", "model_validator"}


class Mutant(NamedTuple):
    """`before`, which stands at `start` of the file's bytes, becomes `after`."""

    path: str
    number: int
    line: str
    start: int
    before: str
    after: str
    change: str

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.path}:{self.number}: {self.change}   [{self.line}]"

    @property
    def key(self) -> tuple[str, str, str]:
        """What its reason is kept under; no number of a line, which moves."""
        return self.path, self.line, self.change

    def text(self, whole: str) -> str:
        """The file with the defect."""
        source, end = whole.encode(), self.start + len(self.before.encode())
        return (source[: self.start] + self.after.encode() + source[end:]).decode()


#: Those that are known to live: {(path, line, change): reason}.
WHY: dict[tuple[str, str, str], str] = {
    (
        "ar_workers/domain/protection.py",
        "return (Place(Kind.FILE, parts), name) if len(parts) > 1 else (name,)",
        "len(parts) > 1 -> len(parts) >= 1",
    ): "equivalent: what is listed as a file has a folder, and no bare name is the beginning of one",
}


def all_mutants() -> list[Mutant]:
    """Every one, in the order of the files."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return [mutant for path in paths for mutant in mutants_of(path.relative_to(ROOT).as_posix(), path.read_text())]


def mutants_of(path: str, text: str) -> list[Mutant]:
    """Those of one file."""
    source = text.encode()
    lines = source.splitlines(keepends=True)
    starts = list(accumulate(map(len, lines), initial=0))
    found: list[Mutant] = []
    for node, after, change in _changes(ast.parse(text)):
        start = starts[node.lineno - 1] + node.col_offset
        before = source[start : starts[node.end_lineno - 1] + node.end_col_offset].decode()
        line = lines[node.lineno - 1].decode().strip()
        found.append(Mutant(path, node.lineno, line, start, before, after, change or f"{_short(before)} -> {after}"))
    return list(dict.fromkeys(each for each in found if each.before != each.after))


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """Which part becomes what, and how that is told if before and after are long."""
    for node in _walk(tree):
        yield from ((node, after, "") for after in _instead(node))
        if isinstance(node, ast.FunctionDef) and any(_called(each) in _VALIDATORS for each in node.decorator_list):
            yield from ((each, "staticmethod", "") for each in node.decorator_list if _called(each) in _VALIDATORS)
        for test in _tests(node):
            yield test, "False", ""
            yield test, "True", ""
        yield from _left_out(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All that decides something: no texts, and of what only a type checker reads nothing but calls."""
    yield node
    for each in _parts(node):
        yield from _walk(each)


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.JoinedStr():
            return ()
        case ast.AnnAssign():
            calls = [each for each in ast.walk(node.annotation) if isinstance(each, ast.Call)]
            return [*calls, *filter(None, [node.value])]
        case ast.FunctionDef():
            return [*node.body, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        case ast.ClassDef():
            return node.body
    return ast.iter_child_nodes(node)


def _is_log(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("_log.")


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _instead(node: ast.AST) -> list[str]:  # noqa: C901 - one line for each kind of defect
    match node:
        case ast.Compare(ops=[operator, *more]) if type(operator) in _OTHER_OPERATOR:
            return [ast.unparse(ast.Compare(node.left, [_OTHER_OPERATOR[type(operator)](), *more], node.comparators))]
        case ast.BoolOp(values=values):
            other = ast.unparse(ast.BoolOp(_OTHER_OPERATOR[type(node.op)](), values))
            return [other, *(_fewer(node, each) for each in values)] if len(values) > 2 else [other, *map(_bracketed, values)]
        case ast.UnaryOp(op=ast.Not()):
            return [_bracketed(node.operand)]
        case ast.BinOp() if type(node.op) in _OTHER_OPERATOR and not _is_text(node):
            return [_bracketed(ast.BinOp(node.left, _OTHER_OPERATOR[type(node.op)](), node.right))]
        case ast.IfExp():
            return [_bracketed(node.body), _bracketed(node.orelse)]
        case ast.Constant(value=bool(value)):
            return [str(not value)]
        case ast.Constant(value=int(value) | float(value)):
            return [str(value + 1), *([str(value * 10)] if value else [])]
        case ast.Return(value=value) if value and not (isinstance(value, ast.Constant) and value.value is None):
            return ["return None"]
        case ast.Expr(value=value) if not isinstance(value, ast.Constant) and not _is_log(value):
            return ["pass"]
        case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            return ["pass"]
        case ast.Name(id=name, ctx=ast.Load()) if name in _OTHER_FUNCTION:
            return [_OTHER_FUNCTION[name]]
    return []


def _tests(node: ast.AST) -> list[ast.expr]:
    """Conditions that may be taken away altogether."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return []
        case ast.If():
            return [node.test]
        case ast.comprehension():
            return node.ifs
        case ast.match_case(guard=ast.expr() as guard):
            return [guard]
    return []


def _left_out(node: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
    """Calls without one of what they name."""
    if isinstance(node, ast.Call) and len(node.keywords) + len(node.args) > 1:
        for keyword in node.keywords:
            if keyword.arg:
                others = [each for each in node.keywords if each is not keyword]
                yield node, ast.unparse(ast.Call(node.func, node.args, others)), f"without {ast.unparse(keyword)}"


def _fewer(node: ast.BoolOp, without: ast.expr) -> str:
    return ast.unparse(ast.BoolOp(node.op, [each for each in node.values if each is not without]))


def _bracketed(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str)) for each in sides)


def _short(text: str) -> str:
    return " ".join(text.split())
