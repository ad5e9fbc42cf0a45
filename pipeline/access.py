"""Who may do what, as data: roles, permissions and the actor every act is signed with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """One thing an actor may be allowed to do."""

    READ = "read"
    REGISTER_MOLECULE = "register molecules"
    OPEN_PROGRAMME = "open programmes"
    MOVE_PROGRAMME = "move programmes"
    ASSESS_CHECKPOINT = "assess checkpoints"
    DECIDE_CHECKPOINT = "decide checkpoints"
    DEFINE_RULES = "define checkpoint rules"
    IMPORT = "import files"
    EXPORT = "export data"
    MERGE_MOLECULES = "merge molecules"
    LOG_MONITORING = "log monitoring"
    ANSWER_ALERTS = "answer alerts"
    SEE_PSEUDONYMS = "see the pseudonyms of subjects"
    AUDIT = "read the audit trail"
    ADMINISTER = "administer"


class Role(StrEnum):
    """What a person is here for."""

    RESEARCHER = "researcher"
    PHARMACOLOGY = "pharmacology"
    LEAD = "lead"
    DATA_PROTECTION = "data protection"
    ADMIN = "admin"


_P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.RESEARCHER: frozenset({_P.READ, _P.EXPORT, _P.REGISTER_MOLECULE, _P.OPEN_PROGRAMME, _P.ASSESS_CHECKPOINT}),
    Role.PHARMACOLOGY: frozenset(
        {_P.READ, _P.EXPORT, _P.IMPORT, _P.LOG_MONITORING, _P.SEE_PSEUDONYMS, _P.ANSWER_ALERTS} | {_P.ASSESS_CHECKPOINT}
    ),
    Role.LEAD: frozenset(
        {_P.READ, _P.EXPORT, _P.IMPORT, _P.REGISTER_MOLECULE, _P.OPEN_PROGRAMME, _P.MOVE_PROGRAMME}
        | {_P.ASSESS_CHECKPOINT, _P.DECIDE_CHECKPOINT, _P.DEFINE_RULES, _P.MERGE_MOLECULES, _P.AUDIT, _P.ANSWER_ALERTS}
    ),
    Role.DATA_PROTECTION: frozenset({_P.READ, _P.EXPORT, _P.AUDIT, _P.SEE_PSEUDONYMS}),
    Role.ADMIN: frozenset(_P),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or program that acts, under a name that is never reused, in one or more roles."""

    name: str
    roles: tuple[Role, ...]
    permissions: frozenset[Permission] = field(default=frozenset())

    @classmethod
    def of(cls, name: str, *roles: Role) -> Actor:
        """Return an actor with all that its roles allow."""
        return cls(name, roles, frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles)))

    @property
    def role(self) -> str:
        """The roles as one text, as an act records them."""
        return ", ".join(self.roles)
