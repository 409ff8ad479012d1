"""The evidence in a record is judged again: what contradicts a verdict is told, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.redaction import Redactor
from gateway_acceptance.signoff.again import contradicted, exchange_of
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.seen import Kind
from suites.api.chat import test_completions
from suites.every_exchange import RULES
from tests.unit.bodies import chat_body
from tests.unit.declared import environment

KEY = "sk-a-key-of-this-test"
