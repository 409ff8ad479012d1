"""What runs on the machine: standard library only, Python 3.8 or newer, reads and changes nothing.

The modules are sent as one program (``gateway_acceptance.host.program``), so their names are all different, and
they import one another only by ``from gateway_acceptance.host.collect.x import y``.
"""
