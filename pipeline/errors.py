"""Every refusal a user can act on. Each has a stable code; a message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing a move still lacks: what is required, and what was found (None when nothing was)."""

    criterion: str
    required: str
    found: str | None
    explanation: str


class PipelineError(Exception):
    """A refusal. Nothing was written. `path` leads to the offending input, outermost name first."""

    code = "REFUSED"

    def __init__(self, message: str, *, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class InputError(PipelineError):
    """The input itself cannot be accepted."""

    code = "INVALID_INPUT"


class NotPermitted(PipelineError):
    """The actor's roles do not include the permission the command needs."""

    code = "NOT_PERMITTED"

    def __init__(self, message: str, *, permission: str, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.permission = permission


class NotFound(PipelineError):
    """What the input points at does not exist."""

    code = "NOT_FOUND"


class Conflict(PipelineError):
    """The same thing exists already; `node` ("Molecule") and `id` say which."""

    code = "CONFLICT"

    def __init__(
        self, message: str, *, node: str | None = None, id: int | None = None, path: Sequence[str] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.node = node
        self.id = id


class StaleVersion(PipelineError):
    """Somebody else wrote in between; read again and repeat with the current version."""

    code = "STALE_VERSION"

    def __init__(self, message: str, *, current: int, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.current = current


class CheckpointNotMet(PipelineError):
    """The state graph or its checkpoints do not allow the move; `unmet` lists everything that is missing."""

    code = "CHECKPOINT_NOT_MET"

    def __init__(self, message: str, *, unmet: Sequence[Unmet], path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.unmet = tuple(unmet)


class RowError(PipelineError):
    """One row of a batch or a file cannot be accepted. `row` counts as the sender counts."""

    code = "ROW_ERROR"

    def __init__(
        self, message: str, *, row: int, column: str | None = None, value: str | None = None, path: Sequence[str] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.row = row
        self.column = column
        self.value = value


class IdempotencyMismatch(PipelineError):
    """The key was used before, for another content."""

    code = "IDEMPOTENCY_MISMATCH"


class FileRefused(PipelineError):
    """The file as a whole cannot be read: wrong kind, too large, damaged, or without the columns it needs."""

    code = "FILE_REFUSED"


class StageGraphError(PipelineError):
    """A state graph file is wrong; the message names every defect."""

    code = "STAGE_GRAPH_INVALID"

    def __init__(self, defects: Sequence[str], *, path: Sequence[str] = ()) -> None:
        super().__init__("; ".join(defects), path=path)
        self.defects = tuple(defects)


class Unavailable(PipelineError):
    """The store cannot answer now. The outcome is unknown: repeat with the same idempotency key."""

    code = "UNAVAILABLE"


class StoreRefused(PipelineError):
    """The store cannot be opened safely: wrong settings, another process, a damaged or newer file."""

    code = "STORE_REFUSED"


class Refused(PipelineError):
    """Several refusals at once, so that a user can mend all of them before trying again."""

    def __init__(self, errors: Iterable[PipelineError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(error.message for error in self.errors))


def refuse(errors: Sequence[PipelineError]) -> None:
    """Raise what was collected: nothing for none, the error itself for one, `Refused` for several."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Refused(errors)


def each(error: PipelineError) -> tuple[PipelineError, ...]:
    """Return the single refusals an error stands for."""
    return error.errors if isinstance(error, Refused) else (error,)
