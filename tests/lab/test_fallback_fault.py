"""The fault of a gateway that falls back in silence: who is asked, and what the answer says."""

from __future__ import annotations

import json
from typing import Any

from lab.faults.routing import falls_back
from lab.message import Reply, Request


def chat(model: str, **more: Any) -> Request:
    body = {"model": model, "messages": [], **more}
    return Request("POST", "/v1/chat/completions", (), json.dumps(body).encode())


def test_each_third_whole_chat_is_another_models_in_its_name() -> None:
    before, after = falls_back("ours", "theirs", 3)
    seen = []
    asked = [chat("ours"), chat("ours", stream=True), chat("other"), chat("ours"), chat("ours"), chat("ours")]
    for request in asked:
        handed = before(request)
        assert isinstance(handed, Request)
        answer = {"model": handed.json["model"], "choices": []}
        reply = after(handed, Reply(200, (), (json.dumps(answer).encode(),))).json
        assert isinstance(reply, dict)
        seen.append((handed.json["model"], reply["model"]))
    assert seen == [
        *[("ours", "ours"), ("ours", "ours"), ("other", "other"), ("ours", "ours")],
        *[("theirs", "ours"), ("ours", "ours")],
    ]
