"""The arithmetic of the audit chain: what a row's seal, an act's hash and its code are computed from. Pure.

A row is sealed with SHA-256 over 16 bytes of salt and its canonical content; an act's hash covers the seals of
every row version it opened and closed, its own particulars, and the hash of the act before. The code (HMAC) is
made with a key that is not in the database, so that a rewritten chain does not pass for the true one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.errors import InputError

SALT_BYTES = 16
GENESIS = "0" * 64
_CANONICAL = orjson.OPT_SORT_KEYS
BOOKKEEPING = frozenset({"since_act", "until_act", "seal"})


def _plain(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(f"no canonical form for {type(value).__name__}")


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return the bytes a digest is taken of: JSON, keys sorted, empty fields left out.

    Leaving out empty fields keeps old digests true when a later migration adds a column.

    Raises:
        InputError: a text holds a NUL or half a character.
    """
    try:
        data = orjson.dumps({k: v for k, v in content.items() if v is not None}, default=_plain, option=_CANONICAL)
    except orjson.JSONEncodeError:
        _refuse_half_characters(content)
        raise
    if b"\\u0000" in data and any(isinstance(v, str) and "\0" in v for v in content.values()):
        raise InputError("a text holds a NUL character, which no database keeps alike; remove it")
    return data


def _refuse_half_characters(content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InputError(f"{name} holds half a character (a lone surrogate), which no database keeps; remove it")


def digest_of(content: Any) -> str:
    """Return the SHA-256 of any JSON value in canonical form, as hexadecimal text."""
    return hashlib.sha256(orjson.dumps(content, default=_plain, option=_CANONICAL)).hexdigest()


def seal(table: str, content: Mapping[str, Any], salt: bytes) -> bytes:
    """Return a row version's seal: its salt, then the digest of salt, table and content (id and version included)."""
    return salt + hashlib.sha256(salt + table.encode() + canonical(content)).digest()


def is_sealed(table: str, content: Mapping[str, Any], seal_found: bytes) -> bool:
    """Tell whether a row version still is what it was when it was sealed."""
    return seal(table, content, seal_found[:SALT_BYTES]) == seal_found


@dataclass(slots=True)
class TableTally:
    """What one act did in one table: the seals of rows new, revised and closed, each in order of (id, version)."""

    rows: int = 0
    _streams: dict[str, Any] = field(default_factory=dict)

    def add(self, stream: str, seal_bytes: bytes) -> None:
        """Take one seal into `stream`: "new" (version 1), "revised" (later versions) or "closed"."""
        self.add_all(stream, [seal_bytes])

    def add_all(self, stream: str, seals: Sequence[bytes]) -> None:
        """Take many seals into `stream`, in the order of (id, version)."""
        if stream not in self._streams:
            self._streams[stream] = hashlib.sha256()
        self._streams[stream].update(b"".join(seals))
        self.rows += len(seals) if stream != "closed" else 0

    def digests(self) -> dict[str, str]:
        """Return the digest of each stream that is not empty."""
        return {name: stream.hexdigest() for name, stream in sorted(self._streams.items())}


def stream_of(version: int) -> str:
    """Return the stream an opened row version belongs to."""
    return "new" if version == 1 else "revised"


def rows_digest(tallies: Mapping[str, TableTally]) -> str:
    """Return the digest over all that an act did, table by table."""
    return digest_of({name: tally.digests() for name, tally in tallies.items() if tally.digests()})


# What of an act its hash covers: everything but the hash itself and what is made from it.
ACT_FIELDS: Sequence[str] = (
    "number",
    "recorded_at",
    "actor",
    "role",
    "command",
    "reason",
    "idempotency_key",
    "fingerprint",
    "result",
    "software",
    "rows",
    "rows_digest",
    "previous_hash",
)


def act_hash(act: Mapping[str, Any]) -> str:
    """Return the hash of one act, which the next act repeats as its `previous_hash`."""
    return hashlib.sha256(canonical({name: act[name] for name in ACT_FIELDS})).hexdigest()


def code_of(key: bytes, text: str) -> str:
    """Return the HMAC-SHA-256 of a text under the centre's key."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def key_id(key: bytes) -> str:
    """Return a name for a key that does not give the key away."""
    return hashlib.sha256(b"moltrail key" + key).hexdigest()[:16]


def salted(table: str, columns: Mapping[str, Sequence[Any]], salts: bytes) -> list[bytes]:
    """Return the seals of rows given column by column, `seal` of each; `salts` holds 16 fresh random bytes for each.

    Raises:
        InputError: a text holds a NUL or half a character.
    """
    head = table.encode()
    # Put in order once for all rows instead of sorting the keys of each.
    names = sorted(columns)
    dumps, sha256 = orjson.dumps, hashlib.sha256
    seals = []
    start = 0
    for row in zip(*(columns[name] for name in names), strict=True):
        content = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        try:
            data = dumps(content, _plain)
        except orjson.JSONEncodeError:
            data = canonical(content)
        if b"\\u0000" in data:
            data = canonical(content)
        salt = salts[start : start + SALT_BYTES]
        start += SALT_BYTES
        seals.append(salt + sha256(salt + head + data).digest())
    return seals
