"""Which encoding the texts of a SAS transport file are in: the file does not say, its letters have to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.exchange.encodings import decode
from pipeline.exchange.xpt_members import Extent, blocks

_MOST_SAMPLED = 20_000
"""Different texts looked at: more tell nothing new."""
_BLANK = b" \0"


@dataclass(frozen=True, slots=True)
class Texts:
    """How the bytes of a file become text: UTF-8 where they are it, else one other encoding."""

    encoding: str
    told: bool = False
    """Whether the sender named the encoding: then nothing else is tried."""
    cut: bool = False
    """Whether an incomplete last character is one that the width of its column cut off."""
    warnings: tuple[str, ...] = ()

    def read(self, raw: bytes) -> str:
        """Return the text of some bytes; what fits no encoding becomes the replacement character."""
        if raw.isascii():
            return raw.decode("ascii")
        if self.told:
            return raw.decode(self.encoding, "replace")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as wrong:
            if self.cut and wrong.end == len(raw) and "end of data" in wrong.reason:
                return raw[: wrong.start].decode("utf-8") + "\N{REPLACEMENT CHARACTER}"
            return raw.decode(self.encoding, "replace")


def find_texts(stream: BinaryIO, extents: list[Extent], place: str, encoding: str | None) -> Texts:
    """Find out the encoding from all cells and labels that are not ASCII."""
    import numpy as np

    if encoding is not None:
        return Texts(_known(encoding), told=True)
    sample: dict[bytes, None] = {}
    for extent in extents:
        member = extent.member
        told = (member.name, member.label, *(text for field in member.fields for text in (field.name, field.label)))
        sample.update(dict.fromkeys(text for text in told if not text.isascii()))
        for block in blocks(stream, extent, place):
            for field in member.fields:
                if field.is_text and len(sample) < _MOST_SAMPLED:
                    cells = np.ascontiguousarray(block[:, field.start : field.start + field.width])
                    if cells.tobytes().isascii():
                        continue
                    special = cells[(cells >= 0x80).any(axis=1)]
                    distinct = dict.fromkeys(special.view(f"S{field.width}")[:, 0].tolist())
                    sample.update((text.rstrip(_BLANK), None) for text in distinct)
    wide = [text for text in sample if _is_utf8(text)]
    other = [text for text in sample if not _is_utf8(text)]
    if not other:
        return Texts("utf-8")
    if wide and all(map(_is_cut, other)):
        cut = f"{place} has {len(other)} text(s) in UTF-8 whose last letter the width of their column cuts off: "
        return Texts("utf-8", cut=True, warnings=(f"{cut}{_examples(other, 'utf-8')}.",))
    # The first line keeps bytes that look like a byte order mark from being taken for one.
    decoded = decode(b"\n".join((b"-", *other)), place)
    read = f"were read as {decoded.encoding}: {_examples(other, decoded.encoding)}"
    if wide:
        return Texts(
            decoded.encoding, warnings=(f"{place} mixes encodings; texts that are not UTF-8 {read}; check them.",)
        )
    if decoded.doubtful:
        doubt = f"{place} does not say how its letters are encoded, and they do not show it clearly; they {read}"
        return Texts(decoded.encoding, warnings=(f"{doubt}; check them.",))
    return Texts(decoded.encoding, warnings=decoded.warnings)


def _known(encoding: str) -> str:
    try:
        "é".encode(encoding, "replace").decode(encoding, "replace")  # some codecs of Python are none of texts
    except (LookupError, TypeError, ValueError):
        raise InputError(f"{encoding[:40]!r} is no known encoding; name one such as windows-1252") from None
    return encoding


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_cut(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return wrong.end == len(text) and "end of data" in wrong.reason
    return False


def _examples(texts: list[bytes], encoding: str) -> str:
    return ", ".join(repr(text.decode(encoding, "replace").strip()[:40]) for text in texts[:5])
