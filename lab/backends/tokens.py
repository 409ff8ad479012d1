"""The backends' tokenizer: a word or a punctuation mark, with the white space before it, is one token.

Simple on purpose, and used everywhere alike: prompt_eval_count, eval_count, num_predict, num_ctx and the
pieces of a stream. Joining the tokens of a text always gives back the text.
"""

from __future__ import annotations

import re

MAX_WORD = 16  # characters; longer words, and scripts without spaces, are several tokens

_TOKEN = re.compile(rf"\s*(?:\w{{1,{MAX_WORD}}}|[^\w\s])|\s+")


def split(text: str) -> list[str]:
    """The tokens of a text, in order; ``"".join(split(text)) == text``."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text has; 0 for the empty one."""
    return len(split(text))


def first(text: str, limit: int) -> str:
    """The text's first ``limit`` tokens (all of it where it has fewer)."""
    return "".join(split(text)[:limit])


def without_first(text: str, dropped: int) -> str:
    """The text without its first ``dropped`` tokens."""
    return "".join(split(text)[dropped:])
