"""Who may import whom, read from the source: the levels of the package."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import wsgiproxy_hs

PACKAGE = Path(wsgiproxy_hs.__file__).parent
SOURCES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
every_module = pytest.mark.parametrize("module", SOURCES)

FOOT, VALUES, LAYERS, DATA, ASSEMBLY, STACK, TOP = range(7)
LEVELS = {
    "exceptions": FOOT,
    "environ": FOOT,
    "secret_strength": FOOT,
    "redaction": FOOT,
    "trusted_proxies": FOOT,
    "safe_headers": FOOT,
    "error_document": FOOT,
    "rates": FOOT,
    "servers": FOOT,
    "routes": VALUES,
    "throttling": VALUES,
    "sessions": VALUES,
    "upstream": VALUES,
    "settings": VALUES,
    "middleware": LAYERS,
    "endpoints": LAYERS,
    "auth": LAYERS,
    "table": DATA,
    "assembly": ASSEMBLY,
    "stack": STACK,
    "": TOP,
    "__main__": TOP,
    "commands": TOP,
    "testing": TOP,
    "wsgi": TOP,
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc", "core", "lib"}
EXTRAS = {
    "wsgiproxy_hs.sessions.stores.redis": {"redis"},
    "wsgiproxy_hs.throttling.limits_meter": {"limits"},
}
"""Modules that are imported only when their extra is wanted."""
THIRD_PARTIES = {
    "werkzeug",
    "requests",
    "urllib3",
    "httptools",
    "jwt",
    "cryptography",
    "joserfc",
    "itsdangerous",
    "pydantic",
    "pydantic_core",
}


def part(module: str) -> str:
    """``wsgiproxy_hs.routes.table`` -> ``routes``"""
    name = module.partition(".")[2].partition(".")[0]
    return "settings" if name.startswith("setting_") else name  # modules that are one part


def imported(module: str) -> set[str]:
    """The modules that a module imports, wherever in it, by their full names."""
    found = set()
    is_package = SOURCES[module].name == "__init__.py"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                near = module.split(".")[: len(module.split(".")) - node.level + is_package]
                source = ".".join([*near, *([source] if source else [])])
            found |= {full if (full := f"{source}.{alias.name}") in SOURCES else source for alias in node.names}
    return found


def ours(module: str) -> set[str]:
    return {name for name in imported(module) if name.partition(".")[0] == "wsgiproxy_hs"}


def is_app(module: str) -> bool:
    """Whether a module defines a WSGI app."""
    calls = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef) and node.name == "__call__"]
    return any("start_response" in [argument.arg for argument in call.args.args] for call in calls)


@every_module
def test_every_module_has_its_level(module):
    """A module that stands nowhere in the table cannot be held against it."""
    assert part(module) in LEVELS


@every_module
def test_imports_go_down_only(module):
    """A module imports lower levels, and of its own level only its own package; the foot imports nothing of ours."""
    level = LEVELS[part(module)]
    for name in ours(module):
        assert name in SOURCES, f"{name} is no module"
        if level == TOP or name == module:
            continue
        own_package = part(name) == part(module)
        assert own_package or LEVELS[part(name)] < level, f"{module} imports {name}"


@every_module
def test_layers_and_endpoints_stand_on_values_and_foot(module):
    """A layer never imports a layer, nor an endpoint another one: they meet in the environ."""
    if LEVELS[part(module)] != LAYERS or SOURCES[module].name == "__init__.py":
        return
    for name in ours(module):
        if part(module) == "auth" and part(name) == "auth":
            continue
        assert not (LEVELS[part(name)] == LAYERS and is_app(name)), f"{module} imports {name}"
        if part(module) == "middleware":
            assert part(name) != "middleware", f"{module} imports {name}"


def test_settings_stand_on_the_foot_alone():
    """Everybody reads the settings, so they read nobody."""
    assert {LEVELS[part(name)] for name in ours("wsgiproxy_hs.settings") if part(name) != "settings"} == {FOOT}


@every_module
def test_values_know_no_wsgi(module):
    """No value has a WSGI callable in a signature: decisions are made on plain values."""
    if LEVELS[part(module)] > VALUES:
        return
    assert not {name for name in imported(module) if name.startswith("wsgiref")}
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.arguments):
            names = {argument.arg for argument in [*node.posonlyargs, *node.args, *node.kwonlyargs]}
            assert "start_response" not in names


@every_module
def test_no_module_is_named_after_nothing(module):
    """``utils``, ``helpers``, ``common``, ``base`` and ``manager`` are names for what nobody sorted."""
    assert not FORBIDDEN_NAMES & set(module.split("."))


@every_module
def test_only_the_declared_libraries_are_used(module):
    """A library that is imported is in the project's dependencies; servers and extras belong to the commands."""
    if LEVELS[part(module)] == TOP:
        return
    foreign = {name.partition(".")[0] for name in imported(module)} - {"wsgiproxy_hs"} - EXTRAS.get(module, set())
    assert foreign <= THIRD_PARTIES | set(sys.stdlib_module_names)


@every_module
def test_no_assert(module):
    """``python -O`` removes asserts, so nothing may depend on one."""
    assert [node.lineno for node in ast.walk(TREES[module]) if isinstance(node, ast.Assert)] == []


@every_module
def test_the_process_environment_is_read_at_the_top_only(module):
    """Layers, values and endpoints take what they need as arguments."""
    if LEVELS[part(module)] == TOP:
        return
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Attribute):
            assert (ast.unparse(node)) not in ("os.environ", "os.getenv")


@every_module
def test_every_module_says_what_it_is(module):
    """A module begins with a docstring."""
    assert ast.get_docstring(TREES[module])


def test_importing_the_package_builds_and_opens_nothing():
    """``app`` is built when it is asked for, so importing needs no settings and forks safely (F140, F141)."""
    import os
    import subprocess

    code = "import socket, threading, wsgiproxy_hs; assert threading.active_count() == 1; print(wsgiproxy_hs.ROUTES[0].path)"
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "auth/{action...}"), done.stderr
