"""What is taken out of an archive, under which name."""

from __future__ import annotations

import io
import zipfile

from pipeline.exchange.archives import unpack


def test_only_names_that_begin_with_a_dot_are_hidden():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("./a.csv", "../b.csv", "in/./c.csv", ".d.csv", "in/.e.csv", "__MACOSX/f.csv", "g.h.csv"):
            archive.writestr(name, name)
    files, warnings = unpack([("sent.zip", packed.getvalue())])
    assert [file.content.decode() for file in files] == ["./a.csv", "../b.csv", "in/./c.csv", "g.h.csv"]
    assert warnings == []
