"""Drawings of structures as SVG: no scripts, no styles, no references to anything outside the drawing."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from pipeline.errors import InputError
from pipeline.molecules.chemistry import chemistry
from pipeline.molecules.structures import checked, parsed

SMALLEST, LARGEST = 50, 2_000

_STYLE = re.compile(r"style='([^']*)'")
_CLASS = re.compile(r" class='[^']*'")


def depict(smiles: str, width: int = 300, height: int = 200, title: str | None = None) -> str:
    """Return one structure as an SVG drawing of `width` x `height` pixels (each 50 to 2,000).

    The same SMILES always gives the same bytes. The drawing stands alone or inside a page with a strict content
    security policy: presentation attributes in place of styles. `title` (default: the canonical SMILES) is what a
    screen reader says.

    Raises:
        InputError: the SMILES cannot be read, or the size is outside the limits.
    """
    for name, pixels in (("width", width), ("height", height)):
        if not SMALLEST <= pixels <= LARGEST:
            raise InputError(f"{name} is {pixels}; a drawing is {SMALLEST} to {LARGEST} pixels", path=(name,))
    from rdkit.Chem.Draw import rdMolDraw2D

    chem = chemistry()
    molecule = parsed(checked(smiles))
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height)
    options: Any = canvas.drawOptions()
    options.clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    drawn = canvas.GetDrawingText()
    body = drawn[drawn.index("<!-- END OF HEADER -->") + len("<!-- END OF HEADER -->") : drawn.rindex("</svg>")]
    body = _CLASS.sub("", _STYLE.sub(_as_attributes, body)).strip()
    label = escape(title if title is not None else chem.MolToSmiles(molecule))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">\n<title>{label}</title>\n{body}\n</svg>\n'
    )


def _as_attributes(style: re.Match[str]) -> str:
    """Return a style attribute as the presentation attributes that say the same."""
    pairs = (part.partition(":") for part in style[1].split(";") if part.strip())
    return " ".join(f"{name.strip()}='{escape(value.strip())}'" for name, _, value in pairs)
