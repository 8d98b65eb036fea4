"""The ledger, as pure functions: leaves, the tree over them, signed checkpoints, sealed bodies, exports and proofs."""

from langguard.ledger.bodies import OpenedBody, check_body, commitment, open_body, seal, unwrap_key, wrap_key
from langguard.ledger.checkpoint import (
    Checkpoint,
    LogKey,
    VerifierKey,
    add_signature,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    sign_note,
    verified_text,
)
from langguard.ledger.encode import KINDS, Draft, Leaf, Source, canonical, draft, parse, parse_leaf, recordable
from langguard.ledger.export import export_session
from langguard.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from langguard.ledger.verify import Report, verify

__all__ = [
    "EMPTY_ROOT",
    "KINDS",
    "Checkpoint",
    "Draft",
    "Frontier",
    "Leaf",
    "LogKey",
    "OpenedBody",
    "Report",
    "Source",
    "VerifierKey",
    "add_signature",
    "canonical",
    "check_body",
    "commitment",
    "consistency_proof",
    "draft",
    "export_session",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "open_body",
    "open_checkpoint",
    "parse",
    "parse_checkpoint",
    "parse_leaf",
    "parse_note",
    "recordable",
    "root",
    "seal",
    "sign_note",
    "unwrap_key",
    "verified_text",
    "verify",
    "verify_consistency",
    "verify_inclusion",
    "wrap_key",
]
