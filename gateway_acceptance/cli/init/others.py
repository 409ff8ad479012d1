"""Listed models that are for something else than chat and embeddings: images, speech, moderation, ranking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

from gateway_acceptance.cli.init.found import Alias, Found

BY_ITS_NAME = "by its name it is for something else"
"""How the reason begins that such a model is not declared."""
NAMES = re.compile(
    r"(?i)(^|[^a-z])(dall-?e|whisper|tts|images?|flux|sdxl|diffusion|moderation|rerank(er)?|speech|audio"
    r"|transcribe|realtime|videos?|sora|veo|imagen|kokoro|piper)([^a-z]|$)"
)
CANNOT = frozenset(
    {
        *(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED),
        *(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_IMPLEMENTED),
    }
)
"""How a model is refused where it cannot do what is asked; one that fails is judged."""


def set_others_aside(found: Found, named: Sequence[str]) -> None:
    """Take out what refused all that it was asked, and is known by its name, but for those that are named;
    ``found.left_out`` has each instead. OpenAI's own list has dozens, and tells no kind of any."""
    aside = [alias for alias in found.aliases if alias.name not in named and _is_other(alias)]
    if len(aside) == len(found.aliases):
        return
    found.aliases = [alias for alias in found.aliases if alias not in aside]
    for alias in aside:
        statuses = ", ".join(str(int(status)) for status in alias.refused)
        found.left_out.append((alias.name, f"{BY_ITS_NAME}, and refused what it was asked ({statuses})"))


def _is_other(alias: Alias) -> bool:
    return bool(NAMES.search(alias.name) and alias.refused and CANNOT.issuperset(alias.refused))
