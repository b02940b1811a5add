"""The reader: it gives the lines of each file to the pipeline, and then looks for each in the table.

Everything else about files is in `core/files/reading.py`.
"""

from __future__ import annotations

from core.files.reading import reads
from core.store import is_same
from record import Attribute, Record


@reads
def handler(record: Record, item: dict[str, Attribute]) -> bool:
    """Tell whether the item that is stored under a record's key is that record: what its producer sent is the same.

    If a stage of yours changes `data`, compare what it leaves as it was. Else each line would count as different.
    """
    return is_same(item, record.own)
