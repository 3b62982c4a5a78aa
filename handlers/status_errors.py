"""What an error of the status endpoint says to clients that look only for the members of a status document.

Such clients poll until they read a final ``status``, and show ``progress || 0``. Where polling cannot help any more,
the error ends it; where it can, the error repeats the progress that this process last knew, so that no bar falls.
"""

from __future__ import annotations

import json
from typing import Any

from generation import Document

ENDED: dict[str, Any] = {"status": "failed", "progress": 100}
FINAL = (401, 403, 404)
PASSING = (429, 503)


def members_of_error(status: int, last_known: Document | None) -> dict[str, Any]:
    """Return what the error's body has in common with a status document; ``status`` is the HTTP status."""
    if status in FINAL:
        return ENDED
    if status in PASSING and last_known is not None:
        return {"progress": json.loads(last_known.body)["progress"]}
    return {}
