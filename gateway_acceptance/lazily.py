"""Modules that are imported when they are first used: collecting a suite uses few of them, and those that
take long (the official SDK, Hypothesis) would be most of what a collection costs.

    if TYPE_CHECKING:
        import openai
    else:
        openai = lazily("openai")

Of a module of which a file uses a name or two, ``lazily_from`` gives just these.

Annotations must stay text (``from __future__ import annotations``). ``importlib.util.LazyLoader`` does not do
here: pytest looks at every name of a module for ``__test__`` and ``_mock_name``, and that look would load it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


class _Lazily:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)  # whoever asks so (pytest) looks at the kind of thing
        return getattr(import_module(self._name), name)

    def __repr__(self) -> str:
        return f"<{self._name}, imported when it is used>"


class _Named:
    """A function or a class of a module that is imported when it is called, or asked for a member."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *arguments: object, **options: object) -> object:
        return getattr(import_module(self._module), self._name)(*arguments, **options)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(getattr(import_module(self._module), self._name), name)

    def __repr__(self) -> str:
        return f"<{self._name} of {self._module}, imported when it is used>"


def lazily_from(module: str, *names: str) -> list[_Named]:
    """Functions and classes of a module, which is imported when the first of them is used: to be called, or
    asked for their members, no more. Raises ImportError, AttributeError there."""
    return [_Named(module, name) for name in names]


def lazily(name: str) -> _Lazily:
    """The module of that name. Raises ImportError where it is used and is not there."""
    return _Lazily(name)


@contextmanager
def left_out(name: str) -> Iterator[None]:
    """Within it a module counts as not installed, unless it is imported already: for an optional
    dependency of another module, of which nothing is used and whose import takes long."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
