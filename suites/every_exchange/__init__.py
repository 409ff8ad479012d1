"""The rules that every exchange is held against, each owned by a check. Design: docs/every-exchange.md."""

from gateway_acceptance.wire.watch import UniversalRule
from suites.every_exchange.balance import BALANCE_RULES
from suites.every_exchange.chat import CHAT_RULES
from suites.every_exchange.embeddings import EMBEDDING_RULES
from suites.every_exchange.http import HTTP_RULES
from suites.every_exchange.keys import KEY_RULES
from suites.every_exchange.models import MODEL_RULES
from suites.every_exchange.streams import STREAM_RULES

RULES: tuple[UniversalRule, ...] = (
    *CHAT_RULES,
    *STREAM_RULES,
    *EMBEDDING_RULES,
    *MODEL_RULES,
    *HTTP_RULES,
    *KEY_RULES,
    *BALANCE_RULES,
)

__all__ = ["RULES"]
