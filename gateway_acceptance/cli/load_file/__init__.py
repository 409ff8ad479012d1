"""``gateway-acceptance load-file``: load beyond one machine is Locust's (docs/soak.md)."""
