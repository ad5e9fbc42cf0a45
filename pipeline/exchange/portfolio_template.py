"""The workbook to fill in: one sheet for the portfolio, one that explains its columns, lists to choose from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import NamedTuple

from pipeline.exchange.drop_downs import drop_down
from pipeline.words import AttritionReason, Modality, Status


class _Column(NamedTuple):
    heading: str
    needed: str
    what: str
    example: str


_COLUMNS = (
    _Column("Name", "yes, or Code", "The molecule's name; other spellings go under Synonyms.", "examplinib"),
    _Column("Code", "yes, or Name", "The molecule's code in your centre.", "EX-001"),
    _Column("Modality", "no", "What kind of molecule it is; choose from the list.", "SMALL_MOLECULE"),
    _Column("Indication", "recommended", "The disease; one row for each indication of a molecule.", "melanoma"),
    _Column(
        "Disease group", "no", "The group that treats the disease; decides the site of phases 3 and 4.", "melanoma"
    ),
    _Column("Biomarker", "no", "What patients are selected by.", "BRAF V600E"),
    _Column("Targets", "no", "Molecular targets, separated by commas.", "BRAF, CRAF"),
    _Column("Stage", "yes", "The stage reached; choose from the list.", "Phase 1"),
    _Column(
        "Since", "yes", "When it entered the stage: YYYY-MM-DD, or YYYY-MM or YYYY where no more is known.", "2021-03"
    ),
    _Column("Status", "no", "How it stands in that stage; ACTIVE when empty.", "DISCONTINUED"),
    _Column("Stopped on", "no", "When that status began, if it is not ACTIVE; written as under Since.", "2022-06-30"),
    _Column(
        "Reason",
        "if stopped",
        "Why it stopped: a code from the list, or your own words, which are kept.",
        "TOX_CLINICAL",
    ),
    _Column("Note", "no", "Anything to remember about this stage.", ""),
    _Column("SMILES", "no", "The structure.", "CCO"),
    _Column("Synonyms", "no", "Other names, separated by semicolons.", "EX 001; example"),
    _Column("ChEMBL", "no", "Identifier in ChEMBL.", "CHEMBL545"),
    _Column("PubChem CID", "no", "Identifier in PubChem.", "702"),
    _Column("UNII", "no", "Identifier at the FDA.", "3K9958V90M"),
    _Column("CAS", "no", "CAS registry number.", "64-17-5"),
    _Column("INN", "no", "International nonproprietary name.", "examplinib"),
)
_TEXT_COLUMNS = ("Name", "Code", "Stage", "Since", "Stopped on", "CAS", "PubChem CID")
_FILLABLE_ROWS = 5_000


def template(graph_stages: Mapping[str, str] | None = None) -> bytes:
    """Return an .xlsx workbook to fill in, one row per programme or one row per stage a programme entered.

    graph_stages: stage code -> name, earliest first; the default state graph if not given.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Portfolio"
    sheet.append([column.heading for column in _COLUMNS])
    sheet.freeze_panes = "B2"
    choices: dict[str, list[str]] = {
        "Modality": [modality.value for modality in Modality],
        "Stage": list((graph_stages or _default_stages()).values()),
        "Status": [status.value for status in Status],
        "Reason": [reason.value for reason in AttritionReason],
    }
    lists = book.create_sheet("Lists")
    lists.sheet_state = "hidden"
    for at, (heading, values) in enumerate(choices.items(), 1):
        for row, value in enumerate([heading, *values], 1):
            lists.cell(row, at, value)
    for at, column in enumerate(_COLUMNS, 1):
        letter = get_column_letter(at)
        sheet.cell(1, at).font = Font(bold=True)
        sheet.column_dimensions[letter].width = max(12, len(column.heading) + 4)
        if column.heading in _TEXT_COLUMNS:
            sheet.column_dimensions[letter].number_format = "@"  # or "2021-03" turns into the first of March
        if column.heading in choices:
            source = get_column_letter(list(choices).index(column.heading) + 1)
            listed = f"Lists!${source}$2:${source}${len(choices[column.heading]) + 1}"
            sheet.add_data_validation(drop_down(listed, f"{letter}2:{letter}{_FILLABLE_ROWS}"))
    explained = book.create_sheet("Columns", 1)
    explained.append(["Column", "Needed", "What to write", "Example"])
    for column in _COLUMNS:
        explained.append(list(column))
    for cell in explained[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCD", (16, 16, 90, 20), strict=True):
        explained.column_dimensions[letter].width = width
        for cell in explained[letter]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _default_stages() -> dict[str, str]:
    from pipeline.stages.graph import default_graph

    return {stage.code: stage.name for stage in sorted(default_graph().stages, key=lambda stage: stage.ordinal)}
