"""``gateway-acceptance init``: a first environment file of a gateway that runs (docs/init.md)."""
