"""The page's colours: text can be read on every ground, in light, in dark and in print."""

from __future__ import annotations

import re

import pytest

from gateway_acceptance.places import templates
from gateway_acceptance.report.page import STYLE


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("palette", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_colour_of_text_can_be_read_on_every_ground(palette: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (templates() / STYLE).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[palette]))
    for name in ("ink", "quiet", "link", "good", "bad", "warn", "mute"):
        for ground in ("paper", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
