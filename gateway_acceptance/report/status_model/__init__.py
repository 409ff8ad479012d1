"""What the tracker says of a run: one model, from which STATUS.md, index.html, the badge and the terminal's
last lines are made. Plain text and numbers; each view escapes what it prints, and decides nothing."""

from gateway_acceptance.report.status_model.claims import ClaimLine
from gateway_acceptance.report.status_model.closing import Closing, closing_of
from gateway_acceptance.report.status_model.model import StatusModel, status_model

__all__ = ["ClaimLine", "Closing", "StatusModel", "closing_of", "status_model"]
