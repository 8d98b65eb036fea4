"""What is masked, by whose rule and with what: plans from lineage, stand-ins for findings. The detector is given."""

from langguard.masking.apply import apply
from langguard.masking.columns import in_force, plan
from langguard.masking.laundering import Laundered, laundered
from langguard.masking.messages import mask_error, mask_text
from langguard.masking.patterns import PatternProblem, validate
from langguard.masking.scan import scan
from langguard.masking.spans import UNREADABLE, Find, Span

__all__ = [
    "UNREADABLE",
    "Find",
    "Laundered",
    "PatternProblem",
    "Span",
    "apply",
    "in_force",
    "laundered",
    "mask_error",
    "mask_text",
    "plan",
    "scan",
    "validate",
]
