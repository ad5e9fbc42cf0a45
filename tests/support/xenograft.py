"""A xenograft study on record: vehicle, low and high dose, three mice each, tumours measured on three days."""

from __future__ import annotations

from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act

ANIMALS = {"veh": (100.0, 1000.0), "low": (100.0, 600.0), "high": (100.0, 300.0)}


def add_xenograft(centre: Centre, molecule: int, animals: dict[str, tuple[float, float]] = ANIMALS) -> int:
    """Write the study of a molecule and return it; `animals`: group -> volume at start and on day 14."""

    def write(act: Act):
        code = f"XENO-{molecule}"
        row = {"code": code, "title": code, "species": "mouse", "phases": "[]", "status": "COMPLETED"}
        study = act.add(tables.studies, row)
        source = {"study_id": study, "source": "test", "code": code, "statement": "{}", "content_digest": "x"}
        source_id = act.add(tables.study_sources, source)
        named = {"study_id": study, "source_id": source_id, "molecule_id": molecule, "name": code}
        act.add(tables.study_molecules, named)
        for group, (start, end) in animals.items():
            about = {"study_id": study, "code": group, "control": group == "veh", "parameters": "{}"}
            act.add(study_tables.study_groups, about)
            for n in range(3):
                subject = {"study_id": study, "code": f"{group}-{n}", "species": "mouse", "group_code": group}
                id = act.add(study_tables.subjects, subject | {"erased": False, "opposed_to_reuse": False})
                for day, value in ((0.0, start), (14.0, end), (21.0, end * 1.1)):
                    volume = {"study_id": study, "subject_id": id, "what": "TUMVOL", "value": value + n, "day": day}
                    act.add(study_tables.measurements, volume | {"unit": "mm3", "sorted_on": ""})
        return {"study": study}

    done = centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    study: int = done.result["study"]
    return study
