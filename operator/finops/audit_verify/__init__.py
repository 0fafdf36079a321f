"""Offline verifier of the ledger. Shares nothing with the writer: standard library only, its own canonical JSON.

Called by `finops audit verify` with the lines of an export or of the ledger's file, and by the tests' checker. Whoever
does not trust the operator can copy this folder and run it alone. It must never import the rest of `finops`.
"""

from finops.audit_verify.report import Problem, VerifyReport
from finops.audit_verify.verify import verify

__all__ = ["Problem", "VerifyReport", "verify"]
