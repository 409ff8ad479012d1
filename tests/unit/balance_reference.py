"""What SciPy says, as bench/scipy_reference.py wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCIPY: dict[str, Any] = json.loads((Path(__file__).parent / "balance_scipy.json").read_text("utf-8"))
