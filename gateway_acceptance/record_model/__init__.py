"""The record of a run as a typed model. Shape: schemas/tracker/record.json, generated from it."""

from gateway_acceptance.record_model.accepted import Deviations, KnownDeviation, RecordedWaiver
from gateway_acceptance.record_model.basis import Account, Basis, Binding, Planted
from gateway_acceptance.record_model.case import Case, Exchange
from gateway_acceptance.record_model.check import RecordedCheck
from gateway_acceptance.record_model.claim import NotPart, RecordedClaim
from gateway_acceptance.record_model.declared import DeclaredEnvironment
from gateway_acceptance.record_model.record import FORMAT, NoRecord, Record, document_of, record_of
from gateway_acceptance.record_model.run import Run
from gateway_acceptance.record_model.target import Fingerprint, Target
from gateway_acceptance.record_model.totals import Totals

__all__ = [
    "FORMAT",
    "Account",
    "Basis",
    "Binding",
    "Case",
    "DeclaredEnvironment",
    "Deviations",
    "Exchange",
    "Fingerprint",
    "KnownDeviation",
    "NoRecord",
    "NotPart",
    "Planted",
    "Record",
    "RecordedCheck",
    "RecordedClaim",
    "RecordedWaiver",
    "Run",
    "Target",
    "Totals",
    "document_of",
    "record_of",
]
