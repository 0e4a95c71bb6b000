"""Which jobs the documents of a job file became."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.jobfile import Document
from shared.jobs.intake import Source, digest_of, id_of
from shared.ledger.ledger import Ledger
from shared.ledger.record import Record
from shared.storage import layout

MOST_LIKE_IT = 100
"""Records whose jobs' names begin with a document's own id; a document has one of each mark."""


@dataclass(frozen=True)
class FileJobs:
    """The jobs of one version of a job file. `taken`: that version was taken in, as one of its jobs
    says. May raise StoreError."""

    ledger: Ledger
    source: Source
    taken: bool

    def of(self, document: Document) -> tuple[str, Record | None]:
        """The job that a document became, and its last record.

        It may have been rejected under another id than it asks for. Without a record: nobody has
        taken it in; then the name is the one that it asks for.
        """
        origin, asked = self.source.origin(document.index), id_of(document, self.source)
        for job in self._names(document):
            chain = self.ledger.records.chain(job)
            if any(one.source == origin for one in chain):
                return job, chain[-1]
        same = self.ledger.records.chain(asked)  # perhaps of a file that says the same
        written = digest_of(document)
        if same and (self.taken or any(one.written == written for one in same)):
            return asked, same[-1]
        return asked, None

    def _names(self, document: Document) -> Iterator[str]:
        """The id that a document asks for, and those under which it may have been rejected."""
        derived = self.source.job_id(document.index)
        yield from dict.fromkeys((id_of(document, self.source), derived))
        marked = f"{layout.RECORDS}{derived}-"
        found = (entry.key for entry in self.ledger.store.list(marked, limit=MOST_LIKE_IT))
        ours = (key for key in found if layout.is_ours(key, layout.RECORDS))
        yield from dict.fromkeys(layout.parse_record(key)[0] for key in ours)
