"""Run by the Python of a LiteLLM: what its router would draw from, for each group on standard input.

In: {"checks": bool, "groups": [[{litellm parameters}]]}. Out: for each group the weight of every deployment
in order, not normalised; null where the router divides by zero. Nothing is drawn and nothing is sent.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

from litellm import Router  # type: ignore[import-not-found]  # of the Python that runs this

taken: dict[str, list[Any]] = {}


def choices(population: Any, weights: Any = None, **_: Any) -> list[Any]:
    """``random.choices``: notes what it is given, and takes the first."""
    taken["of"], taken["weights"] = list(population), list(weights)
    return [taken["of"][0]]


def choice(population: Any) -> Any:
    """``random.choice``, the same."""
    taken["of"], taken["weights"] = list(population), [1.0] * len(population)
    return taken["of"][0]


async def weights_of(router: Any, alias: str, size: int, scoped: dict[str, float]) -> list[float] | None:
    """Weights by position; scoped: of the caller's key, by the deployment's id. The old version draws
    positions among those left, the new one deployments."""
    random.choices, random.choice = choices, choice  # type: ignore[assignment]
    messages = [{"role": "user", "content": "hello"}]
    kwargs = {"_router_weights": {alias: scoped}} if scoped else {}
    try:
        left = await router.async_get_healthy_deployments(
            model=alias, request_kwargs={**kwargs}, messages=messages, parent_otel_span=None
        )
        await router.async_get_available_deployment(model=alias, request_kwargs={**kwargs}, messages=messages)
    except ZeroDivisionError:
        return None
    found = [0.0] * size
    for drawn, weight in zip(taken["of"], taken["weights"], strict=True):
        deployment = left[drawn] if isinstance(drawn, int) else drawn
        found[int(deployment["model_info"]["id"].split("#")[1])] += weight
    return found


def main() -> None:
    """Read, ask, answer."""
    asked = json.load(sys.stdin)
    scoped = [
        {
            f"{number}#{place}": given.pop("scoped_weight")
            for place, given in enumerate(group)
            if "scoped_weight" in given
        }
        for number, group in enumerate(asked["groups"])
    ]
    entries = [
        {
            "model_name": f"group-{number}",
            "litellm_params": {"model": "ollama_chat/m", "api_base": "http://127.0.0.1:9", **given},
            "model_info": {"id": f"{number}#{place}"},
        }
        for number, group in enumerate(asked["groups"])
        for place, given in enumerate(group)
    ]
    router = Router(model_list=entries, num_retries=0, enable_pre_call_checks=asked["checks"])

    async def all_of_them() -> list[list[float] | None]:
        return [
            await weights_of(router, f"group-{number}", len(group), scoped[number])
            for number, group in enumerate(asked["groups"])
        ]

    print("WEIGHTS", json.dumps(asyncio.run(all_of_them())))


if __name__ == "__main__":
    main()
