"""Find what is wrong in prepared folders, report it, and clean the manifests.

findings   find copies, leaks, contradictions and blanks
entries    the pictures; framings and altered copies of one picture are one entry
shortcuts  signs that give the label away without the face: file names, datasets, colour
clean      take out of the manifests what the audit found
summary    the findings as text, CSV, JSON and an HTML page
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
