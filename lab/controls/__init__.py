"""Gateways that are right in another way, by name: the proof that no check is red on one of them."""

from lab.controls.access import ACCESS_CONTROLS
from lab.controls.answers import ANSWER_CONTROLS
from lab.controls.clouds import CLOUD_CONTROLS
from lab.controls.further import FURTHER_CONTROLS
from lab.controls.habits import HABIT_CONTROLS
from lab.controls.model import Control
from lab.controls.narrow import NARROW_CONTROLS
from lab.controls.outsiders import OUTSIDER_CONTROLS
from lab.controls.plain import PLAIN_CONTROLS
from lab.controls.refusals import REFUSAL_CONTROLS
from lab.controls.servers import SERVER_CONTROLS
from lab.controls.streams import STREAM_CONTROLS
from lab.controls.strict import STRICT_CONTROLS
from lab.controls.thinking import THINKING_CONTROLS
from lab.controls.topology import TOPOLOGY_CONTROLS
from lab.controls.variants import VARIANT_CONTROLS
from lab.controls.warming import WARMING_CONTROLS

ALL = (
    *STREAM_CONTROLS,
    *ANSWER_CONTROLS,
    *REFUSAL_CONTROLS,
    *ACCESS_CONTROLS,
    *OUTSIDER_CONTROLS,
    *THINKING_CONTROLS,
    *TOPOLOGY_CONTROLS,
    *VARIANT_CONTROLS,
    *PLAIN_CONTROLS,
    *HABIT_CONTROLS,
    *WARMING_CONTROLS,
    *CLOUD_CONTROLS,
    *SERVER_CONTROLS,
    *NARROW_CONTROLS,
    *FURTHER_CONTROLS,
    *STRICT_CONTROLS,
)
CONTROLS = {control.name: control for control in ALL}
if len(CONTROLS) != len(ALL):
    raise ValueError("two controls share a name")

__all__ = ["CONTROLS", "Control"]
