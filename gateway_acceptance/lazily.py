"""Modules that are imported when they are first used: collecting a suite uses few of them, and those that
take long (the official SDK, Hypothesis) would be most of what a collection costs.

    if TYPE_CHECKING:
        import openai
    else:
        openai = lazily("openai")

Annotations must stay text (``from __future__ import annotations``). ``importlib.util.LazyLoader`` does not do
here: pytest looks at every name of a module for ``__test__`` and ``_mock_name``, and that look would load it.
"""

from __future__ import annotations

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


def lazily(name: str) -> _Lazily:
    """The module of that name. Raises ImportError where it is used and is not there."""
    return _Lazily(name)
