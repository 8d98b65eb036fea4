"""Policy: what a YAML document allows, and the decision on one call. Pure: no I/O, no clock."""

from langguard.policy.check import Known, check
from langguard.policy.evaluate import Considered, Verdict, evaluate
from langguard.policy.explain import explain
from langguard.policy.model import Approvers, Grant, Limit, Policy, Rule, Scope
from langguard.policy.parse import parse
from langguard.policy.request import Request

__all__ = [
    "Approvers",
    "Considered",
    "Grant",
    "Known",
    "Limit",
    "Policy",
    "Request",
    "Rule",
    "Scope",
    "Verdict",
    "check",
    "evaluate",
    "explain",
    "parse",
]
