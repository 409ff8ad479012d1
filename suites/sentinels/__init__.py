"""The sentinels of smoke. Design: docs/every-exchange.md."""

from gateway_acceptance.plugin.waking import Sentinel
from suites.sentinels.beside import BESIDE_SENTINELS
from suites.sentinels.chat import CHAT_SENTINELS
from suites.sentinels.doors import DOOR_SENTINELS
from suites.sentinels.endpoints import ENDPOINT_SENTINELS
from suites.sentinels.keys import KEY_SENTINELS
from suites.sentinels.pairs import PAIR_SENTINELS
from suites.sentinels.refusals import CONNECTION_SENTINELS, REFUSAL_SENTINELS
from suites.sentinels.service import SERVICE_SENTINELS
from suites.sentinels.tools import TOOL_SENTINELS

SENTINELS: tuple[Sentinel, ...] = (
    *CHAT_SENTINELS,
    *TOOL_SENTINELS,
    *ENDPOINT_SENTINELS,
    *SERVICE_SENTINELS,
    *REFUSAL_SENTINELS,
    *CONNECTION_SENTINELS,
    *BESIDE_SENTINELS,
    *DOOR_SENTINELS,
    *KEY_SENTINELS,
    *PAIR_SENTINELS,
)

__all__ = ["SENTINELS"]
