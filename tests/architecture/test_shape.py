"""The sizes of functions and modules, and the tool that counts them."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "shape.py"


@pytest.fixture(scope="module")
def shape():
    spec = importlib.util.spec_from_file_location("shape_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_package_keeps_its_bars(shape):
    """No function, module or layer is larger than the bars allow."""
    modules = [shape.measure(path, shape.PACKAGE) for path in sorted(shape.PACKAGE.rglob("*.py"))]
    functions = [function for module in modules for function in module.functions]
    assert len(functions) > 100
    assert list(shape.faults(modules, functions)) == []


def function_of(source):
    return ast.parse(source).body[0]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f(): pass", 1),
        ("@cache\ndef f():\n    pass", 2),
        ('def f():\n    """One."""\n    pass', 2),
        ('def f():\n    """One.\n\n    Two.\n    """\n\n    pass', 3),
        ("def f(\n    a,\n):\n    return a\n", 4),
    ],
)
def test_lines_are_counted_without_decorators_and_docstring(shape, source, lines):
    """What is counted is what has to be read to know what the function does."""
    assert shape.length(function_of(source)) == lines


@pytest.mark.parametrize(
    ("body", "branches"),
    [
        ("pass", 0),
        ("if a: pass\n  elif b: pass\n  else: pass", 2),
        ("for a in b: pass", 1),
        ("while a: break", 1),
        ("try: pass\n  except A: pass\n  except B: pass\n  finally: pass", 2),
        ("return a if b else c", 1),
        ("return a and b or c", 2),
        ("return [a for b in c if d if e for f in g]", 4),
        ("match a:\n    case 1: pass\n    case 2 | 3: pass\n    case _: pass", 2),
        ("match a:\n    case _ if b: pass", 1),
        ("with a: pass", 0),
        ("def g():\n    if a: pass\n  return g", 0),
        ("return lambda: a if b else c", 1),
    ],
)
def test_branches_are_the_places_where_a_function_can_go_two_ways(shape, body, branches):
    """Conditions, loops, handlers, cases, comprehensions and boolean operators count; nested functions are their own."""
    assert shape.branches(function_of(f"def f():\n  {body}")) == branches


def test_every_bar_can_be_broken(shape):
    """A function too long, one with too many branches, a module too large and too many long functions are reported."""
    long = shape.Function("long", 41, 0)
    winding = shape.Function("winding", 1, 11)
    large = shape.Module("large", 121, 120, [])
    found = list(shape.faults([large], [long, winding]))
    assert [fault.split(":")[0] for fault in found[:3]] == ["long", "winding", "large"]
    assert len(found) == 4
    assert list(shape.faults([shape.Module("m", 120, 120, [])], [shape.Function("f", 19, 10)])) == []
