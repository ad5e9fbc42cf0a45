"""Define files in and out."""

import io
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.dataset_table import ColumnType, DataColumn, made
from pipeline.exchange.define_xml import Term, is_define, read_define
from pipeline.exchange.define_xml_write import Defined, Standard, write_define
from tests.support.datasets import dataset

NOON = datetime(2026, 11, 24, 12, 0, 0)
NUMBER = ColumnType.NUMBER
COLUMNS = [
    DataColumn("STUDYID", "Study <Identifier> & more", key=1),
    DataColumn("USUBJID", 'Subject "Identifier"', key=2),
    DataColumn("PCSEQ", "Sequence", NUMBER),
    DataColumn("PCSTRESN", "Result", NUMBER, format="8.2"),
    DataColumn("PCSPEC", "Specimen"),
    DataColumn("PCDTC", "Collected", data_type="datetime"),
    DataColumn("PCSTDTC", "Started", data_type="date"),
    DataColumn("PCTM", "Time", data_type="time"),
]
ROWS = [
    ("ST-1", "S-01", 1, 362.3, "PLASMA", "2026-01-02T08:00:00", "2026-01-02", "08:00:00"),
    ("ST-1", "S-100", 12, 0.00125, "URINE", "2026-01-02T08:00", "2026-01-03", "08:00"),
]


def defined(rows=ROWS, columns=COLUMNS, name="PC", **more) -> Defined:
    data = made(name, columns, lambda: iter(rows), label="Concentrations", study="ST-1")
    return Defined(data, "One record per sample per subject", "FINDINGS", f"{name.lower()}.xpt", **more)


def written(*items: Defined) -> bytes:
    out = io.BytesIO()
    write_define(
        out, items, created=NOON, study="ST-1", description="A <first> study", standard=Standard("SDTMIG", "3.4")
    )
    return out.getvalue()


def test_what_is_written_is_read():
    terms = {
        "PCSPEC": (Term("PLASMA", "Blood & plasma"), Term("URINE", "Urine")),
        "STUDYID": (Term("ST-1"), Term("ST-2")),
    }
    content = written(defined(terms=terms, origins={"PCSPEC": "Collected"}, mandatory=frozenset(["PCSEQ"])))
    assert is_define(content[:4000])
    found = read_define(content, "define.xml")
    assert (found.study, found.version, found.standard) == ("ST-1", "2.1.0", "SDTMIG 3.4")
    [one] = found.datasets
    assert (one.name, one.label, one.file, one.keys) == ("PC", "Concentrations", "pc.xpt", ("STUDYID", "USUBJID"))
    assert one.terms == terms
    assert [(c.name, c.label, c.type, c.length, c.format, c.key, c.data_type) for c in one.columns] == [
        ("STUDYID", "Study <Identifier> & more", ColumnType.TEXT, 4, "", 1, "text"),
        ("USUBJID", 'Subject "Identifier"', ColumnType.TEXT, 5, "", 2, "text"),
        ("PCSEQ", "Sequence", NUMBER, 2, "", None, "integer"),
        ("PCSTRESN", "Result", NUMBER, 7, "8.2", None, "float"),
        ("PCSPEC", "Specimen", ColumnType.TEXT, 6, "", None, "text"),
        ("PCDTC", "Collected", ColumnType.TEXT, None, "", None, "partialDatetime"),
        ("PCSTDTC", "Started", ColumnType.TEXT, None, "", None, "date"),
        ("PCTM", "Time", ColumnType.TEXT, None, "", None, "partialTime"),
    ]


def test_the_document_is_laid_out_as_the_standard_asks():
    text = written(
        defined(origins={"PCSEQ": "Assigned"}, mandatory=frozenset(["PCSEQ"])), defined(name="SUPPPC")
    ).decode()
    assert 'def:DefineVersion="2.1.0"' in text
    assert 'CreationDateTime="2026-11-24T12:00:00"' in text
    assert '<ItemRef ItemOID="IT.PC.USUBJID" OrderNumber="2" Mandatory="Yes" KeySequence="2"/>' in text
    assert '<ItemRef ItemOID="IT.PC.PCSEQ" OrderNumber="3" Mandatory="Yes"/>' in text
    assert '<ItemRef ItemOID="IT.PC.PCSPEC" OrderNumber="5" Mandatory="No"/>' in text
    assert 'DataType="float" Length="7" SignificantDigits="5"' in text
    assert '<def:Origin Type="Assigned"/>' in text
    assert 'Name="SUPPPC" Repeating="Yes" IsReferenceData="No" SASDatasetName="SUPPPC" Domain="PC"' in text
    for element in ("ItemGroupDef", "ItemDef"):
        assert text.rindex(f"</{element}>") < text.index("</MetaDataVersion>")
    assert text.rindex("</ItemGroupDef>") < text.index("<ItemDef ")
    assert "<!DOCTYPE" not in text


@pytest.mark.parametrize(
    ("texts", "data_type"),
    [
        ([], "date"),
        (["2026-01-02"], "date"),
        (["2026-01-02T08:00:00", "2026-01-02T08:00:00.5Z"], "datetime"),
        (["2026-01-02", "2026-01-02T08:00:00"], "partialDatetime"),
        (["2026-01"], "partialDatetime"),
        (["2026---02", "2026-01-02"], "incompleteDatetime"),
    ],
)
def test_the_type_of_dates_follows_from_the_data(texts, data_type):
    one = defined([(text,) for text in texts], [DataColumn("PCDTC", data_type="date")])
    [found] = read_define(written(one), "define.xml").datasets
    assert found.columns[0].data_type == data_type


@pytest.mark.parametrize(
    ("values", "data_type", "length"),
    [([], "integer", 1), ([1, 250], "integer", 3), ([0.5, 12], "float", 3), ([1e-7], "float", 5), ([-3], "integer", 2)],
)
def test_the_type_of_numbers_follows_from_the_data(values, data_type, length):
    one = defined([(value,) for value in values], [DataColumn("PCSTRESN", type=NUMBER)])
    [found] = read_define(written(one), "define.xml").datasets
    assert (found.columns[0].data_type, found.columns[0].length) == (data_type, length)


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=30))
def test_any_label_and_term_comes_back(said):
    one = defined([], [DataColumn("A", said)], terms={"A": (Term(said, said), Term("x", "y"))})
    [found] = read_define(written(one), "define.xml").datasets
    assert found.columns[0].label == " ".join(said.split())
    assert len(found.terms["A"]) == 2


def test_nothing_to_describe_is_refused():
    with pytest.raises(InputError, match="no data set"):
        written()
    with pytest.raises(InputError, match="PC stands twice"):
        written(defined(), defined())


def test_older_versions_are_read():
    old = b"""<ODM xmlns="http://www.cdisc.org/ns/odm/v1.2" xmlns:def="http://www.cdisc.org/ns/def/v1.0">
      <Study><GlobalVariables><StudyName>OLD</StudyName></GlobalVariables>
      <MetaDataVersion OID="M" def:DefineVersion="1.0" def:StandardName="CDISC SEND" def:StandardVersion="3.0">
      <ItemGroupDef OID="DM" Name="DM" def:Label="Demographics" def:DomainKeys="STUDYID, USUBJID">
      <ItemRef ItemOID="a"/><ItemRef ItemOID="b"/></ItemGroupDef>
      <ItemDef OID="a" Name="USUBJID" DataType="text" Length="12" def:Label="Subject">
      <CodeListRef CodeListOID="c"/></ItemDef>
      <ItemDef OID="b" Name="STUDYID" DataType="text" Length="x" def:Label="Study"/>
      <CodeList OID="c"><ExternalCodeList Dictionary="D"/></CodeList></MetaDataVersion></Study></ODM>"""
    found = read_define(old, "define.xml")
    assert (found.study, found.version, found.standard) == ("OLD", "1.0", "CDISC SEND 3.0")
    [one] = found.datasets
    assert (one.label, one.keys, one.terms) == ("Demographics", ("STUDYID", "USUBJID"), {})
    assert [(c.name, c.label, c.length) for c in one.columns] == [
        ("USUBJID", "Subject", 12),
        ("STUDYID", "Study", None),
    ]


ENTITIES = b'<!DOCTYPE ODM [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no well-formed XML"),
        (b"STUDYID,DOMAIN", "no well-formed XML"),
        (b"<ODM/>", "no MetaDataVersion"),
        (ENTITIES + b"<ODM>&b;&c;</ODM>", "document type declaration"),
        (b'<!DOCTYPE ODM SYSTEM "http://example.org/x.dtd"><ODM/>', "document type declaration"),
        (b"<ODM>&undefined;</ODM>", "no well-formed XML"),
        (b"<a>" * 100_000, "nested too deeply"),
        (b'<?xml version="1.0" encoding="klingon"?><ODM/>', "no well-formed XML"),
        (
            b'<ODM><MetaDataVersion><ItemGroupDef Name="PC"><ItemRef ItemOID="x"/></ItemGroupDef>'
            b"</MetaDataVersion></ODM>",
            "PC has a column 'x' that is not described",
        ),
        (b"<" * 50_000_001, "more than the 50,000,000"),
    ],
)
def test_a_refusal_says_what_is_wrong(content, said):
    with pytest.raises(FileRefused, match=said):
        read_define(content, "define.xml")


def test_truncation_at_any_byte_is_one_refusal():
    content = written(defined())
    for end in range(len(content.rstrip())):
        with pytest.raises(FileRefused, match=r"^define\.xml"):
            read_define(content[:end], "define.xml")


@settings(max_examples=60)
@given(st.data())
def test_damage_never_crashes(data):
    content = bytearray(written(defined(terms={"PCSPEC": (Term("PLASMA"),)})))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_define(bytes(content), "define.xml")
    except FileRefused as refusal:
        assert str(refusal).startswith("define.xml")  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("start", [b"", b"<?xml version='1.0'?><html/>", b"STUDYID,DOMAIN"])
def test_other_files_are_not_taken_for_define_files(start):
    assert not is_define(start)


def test_the_real_file_describes_its_data_sets():
    path = dataset("send-xpt") / "PDS2014" / "define.xml"
    found = read_define(path.read_bytes(), path.name)
    assert (found.study, found.version, found.standard, len(found.datasets)) == ("PDS2014", "1.0", "CDISC SEND 3.0", 21)
    demographics = found.datasets[0]
    assert (demographics.name, demographics.label, demographics.file) == ("DM", "Demographics", "dm.xpt")
    assert demographics.keys == ("STUDYID", "DOMAIN", "USUBJID")
    assert sum(len(one.columns) for one in found.datasets) == 421
