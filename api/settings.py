"""What an operator can set, read from environment variables called MOLTRAIL_*; all wrong values are named at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from api.limits import Limits
from pipeline.errors import InputError, PipelineError, each, refuse

PREFIX = "MOLTRAIL_"


class Mode(StrEnum):
    """Who is let in."""

    LOCAL = "local"  # whoever sits at this machine, without a token, as the actor "local" with every role
    TOKEN = "token"  # noqa: S105 - whoever sends an API token


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings. `database_url` None means an SQLite file inside `data`.

    origins: web origins (https://portal.example) whose pages may call the API besides our own.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path("data")
    database_url: str | None = None
    mode: Mode = Mode.LOCAL
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        refuse(_defects(self))

    @property
    def address(self) -> str:
        """Return where a browser on this machine finds the server."""
        host = self.host.removeprefix("[").removesuffix("]")
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator should know about settings that are allowed but not advised."""
        return tuple(f"{sentence}." for sentence in self.limits.loosened())


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises:
        InputError: one value is wrong.
        Refused: several are, one sentence each.
    """
    errors: list[PipelineError] = []
    text = {name.removeprefix(PREFIX): value.strip() for name, value in environment.items() if name.startswith(PREFIX)}
    port = _whole("MOLTRAIL_PORT", text.get("PORT") or "8000", errors, at_most=65535)
    known = {f"LIMIT_{limit.name.upper()}": limit for limit in fields(Limits)}
    limits = {}
    for name, value in text.items():
        if name in known:
            limits[known[name].name] = _whole(PREFIX + name, value, errors)
        elif name.startswith("LIMIT_"):
            errors.append(InputError(f"{PREFIX}{name} is not a limit; known are {', '.join(sorted(known))}."))
    mode = text.get("MODE", "").lower() or Mode.LOCAL
    if mode not in tuple(Mode):
        errors.append(InputError(f"MOLTRAIL_MODE is {_shown(mode)}; write local or token."))
        mode = Mode.TOKEN
    try:
        settings = Settings(
            host=text.get("HOST") or "127.0.0.1",
            port=port,
            data=Path(text.get("DATA") or "data"),
            database_url=text.get("DATABASE_URL") or None,
            mode=Mode(mode),
            origins=tuple(origin for origin in re.split(r"[\s,]+", text.get("ORIGINS", "")) if origin),
            limits=Limits(**limits),
        )
    except PipelineError as error:
        errors.extend(each(error))
    refuse(errors)
    return settings


def _defects(settings: Settings) -> list[PipelineError]:
    found: list[PipelineError] = []
    if not 1 <= settings.port <= 65535:
        found.append(InputError(f"The port is {settings.port}; choose one from 1 to 65535."))
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}|\[[0-9A-Fa-f:.]+\]", settings.host):
        found.append(InputError(f"The host {_shown(settings.host)} is neither a host name nor an address."))
    elif settings.mode is Mode.LOCAL and not is_loopback(settings.host):
        found.append(
            InputError(
                f"Local mode lets everybody in without a token, so it answers only on this machine, not on "
                f"{_shown(settings.host)}; set MOLTRAIL_MODE=token and make a token with `moltrail token create`, "
                "or leave MOLTRAIL_HOST at 127.0.0.1."
            )
        )
    url = settings.database_url
    if url is not None and not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        # The address may hold a password, so it is not shown.
        found.append(InputError("MOLTRAIL_DATABASE_URL begins neither with postgresql:// nor with sqlite://."))
    found.extend(
        InputError(f"The origin {_shown(origin)} is not of the form https://host or https://host:port.")
        for origin in settings.origins
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", origin)
    )
    return found


def _whole(name: str, text: str, errors: list[PipelineError], at_most: int = 2**40) -> int:
    """Return a whole number from 1 up, or note why the text is none."""
    if re.fullmatch(r"[0-9]{1,13}", text) and 1 <= int(text) <= at_most:
        return int(text)
    errors.append(InputError(f"{name} is {_shown(text)}; write a whole number from 1 to {at_most}."))
    return 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "...")
