"""The record of a run as a typed model. Shape: schemas/tracker/record.json, generated from it."""

from gateway_acceptance.record_model.accepted import Deviations, KnownDeviation, RecordedWaiver
from gateway_acceptance.record_model.basis import Basis, JudgedBy, RecordedBinding, RecordedPlanted
from gateway_acceptance.record_model.case import RecordedCase, RecordedExchange
from gateway_acceptance.record_model.check import RecordedCheck
from gateway_acceptance.record_model.claim import NotPart, RecordedClaim
from gateway_acceptance.record_model.declared import DeclaredEnvironment
from gateway_acceptance.record_model.record import FORMAT, NoRecord, Record, document_of, record_of
from gateway_acceptance.record_model.run import RecordedRun
from gateway_acceptance.record_model.target import RecordedFingerprint, RecordedTarget
from gateway_acceptance.record_model.totals import Totals

__all__ = [
    "FORMAT",
    "Basis",
    "DeclaredEnvironment",
    "Deviations",
    "JudgedBy",
    "KnownDeviation",
    "NoRecord",
    "NotPart",
    "Record",
    "RecordedBinding",
    "RecordedCase",
    "RecordedCheck",
    "RecordedClaim",
    "RecordedExchange",
    "RecordedFingerprint",
    "RecordedPlanted",
    "RecordedRun",
    "RecordedTarget",
    "RecordedWaiver",
    "Totals",
    "document_of",
    "record_of",
]
