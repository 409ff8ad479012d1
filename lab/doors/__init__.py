"""Open doors that no check was written for: gateways that let somebody in without the key, each by one thing
that it should not have believed. ``gateway-acceptance mutation-matrix --doors`` tells which are noticed."""

from lab.doors.guard import guarded
from lab.doors.headers import HEADER_DOORS
from lab.doors.inventions import INVENTED_DOORS
from lab.doors.keys import KEY_DOORS
from lab.doors.later import LATER_DOORS
from lab.doors.requests import REQUEST_DOORS
from lab.doors.targets import TARGET_DOORS

ALL = (*HEADER_DOORS, *KEY_DOORS, *TARGET_DOORS, *REQUEST_DOORS, *LATER_DOORS, *INVENTED_DOORS)
DOORS = {door.name: guarded(door) for door in ALL}
if len(DOORS) != len(ALL):
    raise ValueError("two doors share a name")

__all__ = ["DOORS"]
