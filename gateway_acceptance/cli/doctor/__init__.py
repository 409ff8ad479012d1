"""``gateway-acceptance doctor``: what is wrong before a run (docs/doctor.md)."""
