"""The faults by name: each the proof that its checks can fail."""

from lab.faults.backends import BACKEND_FAULTS
from lab.faults.gateway import GATEWAY_FAULTS
from lab.faults.model import Fault, Layer

ALL = (*GATEWAY_FAULTS, *BACKEND_FAULTS)
FAULTS = {fault.name: fault for fault in ALL}
if len(FAULTS) != len(ALL):
    raise ValueError("two faults share a name")

__all__ = ["FAULTS", "Fault", "Layer"]
