"""What is wrong in prepared folders: found, told, put right.

findings   copies, leaks, contradictions, blanks: found and listed
shortcuts  what tells the label without a look at the face: file names, sources, colour
clean      what the audit found, taken out
summary    the findings as text, CSV, JSON and a page
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.data.audit.findings import Audit as Audit
    from mien.data.audit.findings import Finding as Finding
    from mien.data.audit.findings import audit as audit

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Audit": "mien.data.audit.findings",
        "Finding": "mien.data.audit.findings",
        "audit": "mien.data.audit.findings",
    },
)
