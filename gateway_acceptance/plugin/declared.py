"""What a file of checks declares, read from its text: without an import, a file that a run does not need
costs no more than its parsing (docs/performance.md).

Read are functions below ``@check(…)`` whose arguments are literals or the names that ``check`` exports. Who
declares a check in another way is told apart, and such a file is imported like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from gateway_acceptance import check as vocabulary
from gateway_acceptance.check import ID_PATTERN, Check, declared

CHECK = "check"
TEST = "test"


class NotReadFromText(ValueError):  # noqa: N818  (no error: the file is imported instead)
    """A file's checks cannot be told from its text."""


def checks_in(text: str, known: Mapping[str, object] | None = None) -> dict[str, Check]:
    """The checks of a module's text by the name of their function. known: what names that it imports stand
    for. Raises NotReadFromText."""
    try:
        tree = ast.parse(text)
        return _checks(tree, known or {})
    except (SyntaxError, ValueError, TypeError) as error:  # of ``declared``, too: importing says so
        raise NotReadFromText(str(error)) from None


def constants_in(text: str) -> dict[str, object]:
    """The names of a module's text that stand for a literal; none where it is no Python."""
    try:
        return dict(_constants(ast.parse(text)))
    except (SyntaxError, ValueError):
        return {}


def ids_in(text: str) -> set[str]:
    """The ids of checks that stand in a module's text, whoever makes checks of them."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return set()
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for word in words if ID_PATTERN.fullmatch(word)}


def _checks(tree: ast.Module, known: Mapping[str, object]) -> dict[str, Check]:
    constants = {**known, **dict(_constants(tree))}
    found: dict[str, Check] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [call for call in node.decorator_list if _is_check(call)]
            if len(calls) == 1 and node.name.startswith(TEST):
                found[node.name] = _read(calls[0], constants)
            elif calls or node.name.startswith(TEST):
                raise NotReadFromText(f"{node.name}")
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            raise NotReadFromText(f"{node.name}")
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.If | ast.With | ast.Try):
            _nothing_else(node)
    return found


def _nothing_else(node: ast.stmt) -> None:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and (one.id.startswith(TEST) or one.id == CHECK):
            raise NotReadFromText(f"line {one.lineno}")


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CHECK


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Names of a module that stand for a literal, such as the source that several checks share."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value.value


def _read(call: ast.expr, constants: dict[str, object]) -> Check:
    assert isinstance(call, ast.Call)
    if any(word.arg is None for word in call.keywords):
        raise NotReadFromText("its arguments are given as a mapping")
    given = [_value(one, constants) for one in call.args]
    named = {str(word.arg): _value(word.value, constants) for word in call.keywords}
    return declared(*given, **named)  # type: ignore[arg-type]


def _value(node: ast.expr, constants: dict[str, object]) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    if isinstance(node, ast.Name) and hasattr(vocabulary, node.id):
        return getattr(vocabulary, node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(_value(one, constants)) for one in node.values)
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return _value(node.value, constants)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(one, constants) for one in node.elts)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        of = getattr(vocabulary, node.value.id, None)
        if of is not None and hasattr(of, node.attr):
            return getattr(of, node.attr)
    raise NotReadFromText(f"line {node.lineno} says {ast.unparse(node)}")
