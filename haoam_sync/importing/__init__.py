"""Stage: a haproxy.cfg that runs already becomes documents of the desired state. Pure: no I/O, no clock.

The rules, in the order in which a section meets them:

I1  What the API has no kind for (`listen`), what this version cannot own yet, what stands in an `.if` block or is there
    twice stays foreign, and is named with the reason.
I2  `global`, and the userlist that says who may log in to the Data Plane API, belong to the instance: a mistake in git
    would lock everybody out. They stay foreign unless asked for.
I3  Every proxy says `from` the defaults that are in force at its place, so that they stay in force.
I4  A section is imported only when its document makes every line of it again: the same words, whatever their order,
    unit and spacing. A line that would be lost, changed or added makes the section foreign, and is named.
I5  What the server would refuse or lose makes the section foreign too.
I6  Secrets become references. Comments become comments of the document, on the entry that they stood on.
I7  A file that is stored through the API, and that sections name by its path, becomes a document. It keeps its name as
    long as it keeps its content. What cannot be read, or is no text for git, stays named by its path.
"""

from haoam_sync.importing.documents import fleet_document, tree
from haoam_sync.importing.effective import moved_defaults
from haoam_sync.importing.reading import Choice, read
from haoam_sync.importing.stored import StoredDocument, list_entries
from haoam_sync.importing.stored import files as stored_files
from haoam_sync.importing.values import Candidate, Foreign, Reading, Tree

__all__ = [
    "Candidate",
    "Choice",
    "Foreign",
    "Reading",
    "StoredDocument",
    "Tree",
    "fleet_document",
    "list_entries",
    "moved_defaults",
    "read",
    "stored_files",
    "tree",
]
