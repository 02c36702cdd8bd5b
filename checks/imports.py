"""Rules about imports that import-linter cannot state: it sees modules, neither names nor places.

* The reactor is imported inside functions only.  At module level the import would install
  one before the user had a say in which (reliability R-J6).
* Nothing inside the package imports from the bare name `bitpeer`; that surface is for users.
* The plugin imports `twisted.application.service` and nothing else: every run of `twistd`, with
  whatever command, may import it (reliability R-J5).

Run as `python -m checks.imports` at the top of the checkout.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = "bitpeer"
PLUGIN = Path("twisted/plugins/bitpeer_plugin.py")
PLUGIN_IMPORTS = {"twisted.application.service"}
REACTOR = "twisted.internet.reactor"


class Imported(NamedTuple):
    """One name that an import statement asks for."""

    module: str
    """The module before `import` in a `from` statement, or the module itself."""
    full_name: str
    """Module and name joined by a dot."""
    line: int
    in_function: bool
    """Whether it runs only when a function is called."""


def imports(tree: ast.AST, *, in_function: bool = False) -> Iterator[Imported]:
    """Yield every import below *tree*, in the order of the text."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Imported(alias.name, alias.name, node.lineno, in_function)
            case ast.ImportFrom():
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    yield Imported(module, f"{module}.{alias.name}", node.lineno, in_function)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from imports(node, in_function=True)
            case _:
                yield from imports(node, in_function=in_function)


def imports_reactor(found: Imported) -> bool:
    """Whether *found* loads the reactor at import time."""
    return not found.in_function and REACTOR in (found.module, found.full_name)


def offences(path: Path, source: str) -> Iterator[str]:
    """Yield a line for each import in *source*, the text of *path*, that breaks a rule."""
    for found in imports(ast.parse(source, str(path))):
        where = f"{path}:{found.line}:"
        if imports_reactor(found):
            yield f"{where} the reactor is imported at module level; import it in the function"
        if path.parts[0] == PACKAGE and found.module == PACKAGE:
            yield f"{where} {found.full_name} comes by the bare name {PACKAGE}; name its module"
        if path == PLUGIN and found.module not in PLUGIN_IMPORTS:
            yield f"{where} the plugin may not import {found.full_name}"


def main() -> int:
    """Check the checkout in the current directory; return the exit status."""
    paths = [*sorted(Path(PACKAGE).rglob("*.py")), PLUGIN]
    found = [line for path in paths for line in offences(path, path.read_text("utf-8"))]
    for line in found:
        print(line)
    print(f"imports: {len(paths)} files, {len(found)} offences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
