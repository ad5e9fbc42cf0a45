"""Which limits judge a programme: those found in its indication, else those that name none.

A limit found in another indication says nothing of this one.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.names import fold


def judged_under(indication: str | None, named: Iterable[str | None]) -> str:
    """Return under which indication, folded, the limits stand that judge a programme; empty for those that name none.

    Args:
        indication: of the programme; None while it is open.
        named: the indications that the limits on one thing name, None for one that names none.
    """
    own = fold(indication or "")
    return own if own in {fold(name or "") for name in named} else ""
