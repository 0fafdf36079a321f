"""Offline verifier of the ledger. Shares nothing with the writer: its own canonical JSON, its own rules, one library.

It needs an export and, for the signatures, the public key; of libraries only `cryptography`. Called by `finops audit
verify` with the lines of an export or of the ledger's file, and by the tests' checker. Whoever does not trust the
operator can copy this folder and run it alone. It must never import the rest of `finops`.
"""

from finops.audit_verify.checkpoints import is_noted
from finops.audit_verify.proof import ProofReport, verify_proof
from finops.audit_verify.report import Problem, VerifyReport
from finops.audit_verify.signatures import Keys, NotAKey
from finops.audit_verify.verify import verify

__all__ = ["Keys", "NotAKey", "Problem", "ProofReport", "VerifyReport", "is_noted", "verify", "verify_proof"]
