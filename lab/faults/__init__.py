"""The faults by name: each the proof that its checks can fail."""

from lab.faults import advisories, balance, declared, exposure, limited, responses, text_completions
from lab.faults.absence import ABSENCE_FAULTS
from lab.faults.access import ACCESS_FAULTS
from lab.faults.advisories import ADVISORY_FAULTS
from lab.faults.backends import BACKEND_FAULTS
from lab.faults.balance import BALANCE_FAULTS
from lab.faults.balance_patterns import BALANCE_PATTERN_FAULTS
from lab.faults.bodies import BODY_FAULTS
from lab.faults.chat import CHAT_FAULTS
from lab.faults.chat_content import CHAT_CONTENT_FAULTS
from lab.faults.declared import DECLARED_FAULTS
from lab.faults.embeddings import EMBEDDING_FAULTS
from lab.faults.errors import ERROR_FAULTS
from lab.faults.exposure import EXPOSURE_FAULTS
from lab.faults.gateway import GATEWAY_FAULTS
from lab.faults.host_configuration import HOST_CONFIGURATION_FAULTS
from lab.faults.host_deployment import HOST_DEPLOYMENT_FAULTS
from lab.faults.host_hardening import HOST_HARDENING_FAULTS
from lab.faults.host_identity import HOST_IDENTITY_FAULTS
from lab.faults.host_resources import HOST_RESOURCE_FAULTS
from lab.faults.host_tree import HOST_TREE_FAULTS
from lab.faults.host_unit import HOST_UNIT_FAULTS
from lab.faults.limited import LIMITED_FAULTS
from lab.faults.model import Fault, HostChange, Layer
from lab.faults.models import MODEL_FAULTS
from lab.faults.operations import OPERATION_FAULTS
from lab.faults.outages import OUTAGE_FAULTS
from lab.faults.properties import PROPERTY_FAULTS
from lab.faults.responses import RESPONSE_FAULTS
from lab.faults.routing import ROUTING_FAULTS
from lab.faults.sdk import SDK_FAULTS
from lab.faults.soak import SOAK_FAULTS
from lab.faults.steering import STEERING_FAULTS
from lab.faults.streams import STREAM_FAULTS
from lab.faults.text_completions import TEXT_COMPLETION_FAULTS
from lab.faults.tools import TOOL_FAULTS
from lab.faults.ways import WAY_FAULTS

ALL = (
    *GATEWAY_FAULTS,
    *BACKEND_FAULTS,
    *ACCESS_FAULTS,
    *WAY_FAULTS,
    *BODY_FAULTS,
    *STEERING_FAULTS,
    *LIMITED_FAULTS,
    *EXPOSURE_FAULTS,
    *ADVISORY_FAULTS,
    *OPERATION_FAULTS,
    *TEXT_COMPLETION_FAULTS,
    *RESPONSE_FAULTS,
    *DECLARED_FAULTS,
    *SOAK_FAULTS,
    *CHAT_FAULTS,
    *CHAT_CONTENT_FAULTS,
    *EMBEDDING_FAULTS,
    *ERROR_FAULTS,
    *SDK_FAULTS,
    *PROPERTY_FAULTS,
    *STREAM_FAULTS,
    *MODEL_FAULTS,
    *TOOL_FAULTS,
    *ROUTING_FAULTS,
    *OUTAGE_FAULTS,
    *BALANCE_FAULTS,
    *BALANCE_PATTERN_FAULTS,
    *HOST_IDENTITY_FAULTS,
    *HOST_TREE_FAULTS,
    *HOST_UNIT_FAULTS,
    *HOST_HARDENING_FAULTS,
    *HOST_DEPLOYMENT_FAULTS,
    *HOST_CONFIGURATION_FAULTS,
    *HOST_RESOURCE_FAULTS,
    *ABSENCE_FAULTS,
)
FAULTS = {fault.name: fault for fault in ALL}
if len(FAULTS) != len(ALL):
    raise ValueError("two faults share a name")

DECLARES = {
    **exposure.DECLARES,
    **text_completions.DECLARES,
    **responses.DECLARES,
    **declared.DECLARES,
    **balance.DECLARES,
    **advisories.DECLARES,
    **limited.DECLARES,
}
"""What the environments of some faults declare otherwise than ``local``: fault -> table -> keys."""

__all__ = ["DECLARES", "FAULTS", "Fault", "HostChange", "Layer"]
