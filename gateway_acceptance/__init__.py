"""What the suites stand on: environments, observation of the wire, verdicts, the record and its views.

Layers, each importing only from those above it: ``environment policy verdict claims waivers`` (what is
declared), ``wire`` (what is observed), ``record`` (what happened), ``report`` (how it is shown),
``plugin cli`` (where it is plugged in). Nothing here imports ``suites`` or ``lab``.
"""

__version__ = "0.1.0"
