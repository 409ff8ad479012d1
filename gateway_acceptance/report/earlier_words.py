"""What the views said before they were reworded: a run that was sealed in those words is still accepted."""

from __future__ import annotations

EARLIER = (
    ("## Not covered\n", "## Blind spots\n"),
    ('<a href="#uncovered">Not covered</a>', '<a href="#blind">Blind spots</a>'),
    (
        '<section aria-labelledby="uncovered"><h2 id="uncovered">Not covered</h2>',
        '<section aria-labelledby="blind"><h2 id="blind">Blind spots</h2>',
    ),
    ("What this run does not cover. ", "What this run does not speak of. "),
    ("None: this run covers every claim", "None: this run speaks of every claim"),
    ("Commands that fix the ones that are not proven", "What mends the ones that are not proven"),
    ("Commands that fix security requirements", "Commands that mend security requirements"),
    ("Needing attention: they end soon", "To be looked at: they end soon"),
)
"""Today's words of STATUS.md and index.html, and the earlier ones."""


def in_earlier_words(view: str) -> str:
    """A view as it was written with the earlier words."""
    for now, before in EARLIER:
        view = view.replace(now, before)
    return view
