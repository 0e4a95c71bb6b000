"""Hiding jobs: lists leave them out, and everything else stays as it is.

A hidden job keeps its records, images and price, and whoever knows its id finds it. Only its entry
in the job index moves. A job whose file is submitted once more is listed again.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.ledger.ledger import Ledger
from shared.ledger.record import Record


@dataclass
class Hiding:
    """Hides jobs of one ledger and shows them again; either may be repeated."""

    ledger: Ledger

    def hide(self, last: Record) -> None:
        """Leave a job, whose last record is `last`, out of lists. Raises StoreError."""
        self.ledger.index.hide(last.job, self.ledger.records.created_at(last))

    def show(self, last: Record) -> None:
        """List a job again. Raises StoreError."""
        self.ledger.index.show(last.job, self.ledger.records.created_at(last))
