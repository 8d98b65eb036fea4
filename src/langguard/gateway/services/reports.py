"""What an agent's report must be before anything is done with it."""

from typing import Final

from langguard.gateway.problems import ProblemError
from langguard.protocol import Obligations, OutcomeReport

_LARGEST: Final = 2**53 - 1
"""The largest integer of an entry."""


def check_report(report: OutcomeReport, allowed: Obligations) -> None:
    """Refuse a report that contradicts itself, can't be recorded, or shows that the obligations were not kept.

    Raises:
        ProblemError: `invalid_request` or `not_reportable`.
    """
    result = report.result
    if (report.status == "ok") != (result is not None):
        raise ProblemError("invalid_request", "An outcome that is ok has a result, and no other has.")
    numbers = [report.duration_us, report.fetched]
    if result is not None:
        if any(len(row) != len(result.columns) for row in result.rows):
            raise ProblemError("invalid_request", "Each row has one value a column.")
        numbers += result.masked.values()
        numbers += [] if result.affected is None else [result.affected]
    if not all(0 <= number <= _LARGEST for number in numbers):
        raise ProblemError("invalid_request", "A count or a time is below 0, or beyond 2^53 - 1.")
    if result is not None and len(result.rows) > allowed.rows:
        raise ProblemError("not_reportable", "More rows than the call was allowed; discard them.")
