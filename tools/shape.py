"""The shape of the package: sizes of functions and modules, held against their bars. Exit status 1 when one is broken.

Counted are lines of source, blank ones included:

* a function from its ``def`` to its end, without decorators and docstring; what is nested in it counts for both;
* a module from its first line to its last.

Branches of a function are the places where it can go two ways: ``if``, ``elif``, conditional expressions, ``for``,
``while``, every ``except``, every ``case`` but ``case _``, every ``for`` and ``if`` of a comprehension, and every
``and`` or ``or``. Branches of a nested function are its own.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent / "wsgiproxy_hs"

MAX_FUNCTION_LINES = 40
MOST_FUNCTION_LINES, MOST_SHARE = 20, 0.95
MAX_BRANCHES = 10
MAX_MODULE_LINES = 300
MAX_LAYER_LINES = 120
SHOWN = 5

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Function(NamedTuple):
    """A function with its sizes."""

    place: str
    lines: int
    branches: int


class Module(NamedTuple):
    """A module with its size, its bar and its functions."""

    place: str
    lines: int
    max_lines: int
    functions: list[Function]


def main() -> int:
    modules = [measure(path, PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    functions = [function for module in modules for function in module.functions]
    show(modules, functions)
    broken = list(faults(modules, functions))
    for fault in broken:
        print(f"BROKEN  {fault}")
    return 1 if broken else 0


def measure(path: Path, package: Path) -> Module:
    """A module, read from its source."""
    text = path.read_text(encoding="utf-8")
    place = str(path.relative_to(package.parent))
    is_layer = path.parent.name == "middleware" and path.name != "__init__.py"
    functions = [
        Function(f"{place}:{node.lineno} {name}", length(node), branches(node))
        for node, name in named_functions(ast.parse(text), "")
    ]
    return Module(place, len(text.splitlines()), MAX_LAYER_LINES if is_layer else MAX_MODULE_LINES, functions)


def named_functions(node: ast.AST, prefix: str) -> Iterator[tuple[FunctionNode, str]]:
    """Every function below a node, nested ones too, with its dotted name."""
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{prefix}{child.name}."
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield child, inner.removesuffix(".")
        yield from named_functions(child, inner)


def length(function: FunctionNode) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def branches(function: FunctionNode) -> int:
    """Places where a function can go two ways; those of nested functions are not counted."""
    count, pending = 0, list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        count += weight(node)
        pending += ast.iter_child_nodes(node)
    return count


def weight(node: ast.AST) -> int:
    """How many branches a single node adds."""
    if isinstance(node, (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.match_case):
        is_rest = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None and node.guard is None
        return 0 if is_rest else 1
    return 0


def faults(modules: list[Module], functions: list[Function]) -> Iterator[str]:
    """Every bar that is broken."""
    for function in functions:
        if function.lines > MAX_FUNCTION_LINES:
            yield f"{function.place}: {function.lines} lines, at most {MAX_FUNCTION_LINES}"
        if function.branches > MAX_BRANCHES:
            yield f"{function.place}: {function.branches} branches, at most {MAX_BRANCHES}"
    for module in modules:
        if module.lines > module.max_lines:
            yield f"{module.place}: {module.lines} lines, at most {module.max_lines}"
    share = short_share(functions)
    if share < MOST_SHARE:
        yield f"{share:.1%} of the functions are under {MOST_FUNCTION_LINES} lines, not {MOST_SHARE:.0%}"


def short_share(functions: list[Function]) -> float:
    short = sum(function.lines < MOST_FUNCTION_LINES for function in functions)
    return short / len(functions) if functions else 1.0


def show(modules: list[Module], functions: list[Function]) -> None:
    """The table."""
    lines = sum(module.lines for module in modules)
    print(f"{len(modules)} modules, {lines:,} lines, {len(functions)} functions")
    print(f"{short_share(functions):.1%} of the functions are under {MOST_FUNCTION_LINES} lines")
    show_most("Longest functions, in lines", [(f.lines, f.place) for f in functions])
    show_most("Most branches", [(f.branches, f.place) for f in functions])
    show_most("Largest modules, in lines", [(m.lines, m.place) for m in modules])
    show_most("Largest layers, in lines", [(m.lines, m.place) for m in modules if m.max_lines == MAX_LAYER_LINES])


def show_most(title: str, rows: list[tuple[int, str]]) -> None:
    print(f"\n{title}")
    for number, place in sorted(rows, key=lambda row: (-row[0], row[1]))[:SHOWN]:
        print(f"  {number:>4}  {place}")


if __name__ == "__main__":
    sys.exit(main())
