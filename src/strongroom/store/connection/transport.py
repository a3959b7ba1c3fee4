"""Whether what goes to a PostgreSQL server is encrypted on the way, as libpq will take the URL and its surroundings."""

from __future__ import annotations

import configparser
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from strongroom.errors import InsecureConnectionError

ENCRYPTED = {"require", "verify-ca", "verify-full"}
AUTHENTICATED = {"verify-ca", "verify-full"}
_KNOWN = ENCRYPTED | {"disable", "allow", "prefer"}
_UNKNOWN = "a host that only libpq knows"


@dataclass(frozen=True, slots=True)
class Transport:
    """How a connection would be made: to which other machines, and how it is encrypted."""

    remote: tuple[str, ...]
    """Hosts that are neither a Unix socket nor this machine's own address."""
    sslmode: str
    gss: bool = False
    """Whether Kerberos must encrypt it (``gssencmode=require``), which also authenticates the server."""

    @property
    def encrypted(self) -> bool:
        """Whether no connection to another machine can be in plaintext."""
        return not self.remote or self.gss or self.sslmode in ENCRYPTED

    @property
    def remark(self) -> str | None:
        """What should not stay as it is, for ``status``; None where nothing is."""
        if not self.remote or self.gss or self.sslmode in AUTHENTICATED:
            return None
        if not self.encrypted:
            return (
                f"{_shown(self.sslmode)}: passwords and sealed texts may cross the network in plaintext "
                "(allow_plaintext_postgresql)."
            )
        return "sslmode is require: the connection is encrypted, but the server is not authenticated; use verify-full."


def transport_of(engine: Engine, connect_args: Mapping[str, Any]) -> Transport:
    """What libpq will do with an engine's URL, PG... variables and service files counted. Connects to nothing."""
    _, given = engine.dialect.create_connect_args(engine.url)
    given = {**given, **connect_args}
    found = {**_defaults(), **_service(given), **{name: _text(value) for name, value in given.items()}}
    hosts, addresses = (found.get(name, "").split(",") for name in ("host", "hostaddr"))
    width = max(len(hosts), len(addresses))
    pairs = zip(hosts + hosts[-1:] * (width - len(hosts)), addresses + [""] * (width - len(addresses)), strict=True)
    remote = tuple(host or address for host, address in pairs if not _is_local(host.strip(), address.strip()))
    return Transport(remote, found.get("sslmode") or "prefer", found.get("gssencmode") == "require")


def transport_remark(engine: Engine) -> str | None:
    """What ``status`` says of the way to an engine's server; None where there is nothing to say."""
    return transport_of(engine, {}).remark if engine.dialect.name == "postgresql" else None


def require_encrypted(engine: Engine, connect_args: Mapping[str, Any]) -> None:
    """Refuse a URL that may lead to another machine in plaintext. Raises InsecureConnectionError; connects nowhere."""
    found = transport_of(engine, connect_args)
    if not found.encrypted:
        raise InsecureConnectionError(
            "The PostgreSQL server is on another machine, and everything may go there in plaintext: "
            f"{_shown(found.sslmode)}."
        )


def require_encrypted_connection(driver: Any) -> None:
    """The same of a connection that was made, as it is. Raises InsecureConnectionError, after closing it."""
    found = driver.pgconn
    address = found.hostaddr.decode() if found.hostaddr else ""
    if found.ssl_in_use or _is_local(found.host.decode() if found.host else "", address) or _gss(driver):
        return
    driver.close()
    raise InsecureConnectionError("The PostgreSQL server is on another machine, and the connection is in plaintext.")


def _shown(sslmode: str) -> str:
    """The mode by its name, where it is one: what was given may be anything."""
    return f"sslmode is {sslmode}" if sslmode in _KNOWN else "sslmode is not a known mode"


def _gss(driver: Any) -> bool:
    return bool(driver.info.get_parameters().get("gssencmode") == "require")


def _is_local(host: str, address: str) -> bool:
    """Whether it stays on this machine: the address counts where there is one, and no name but localhost."""
    place = (address or host).strip("[]")
    if not address and (not place or place[0] in "/@"):
        return True
    if not address and place.lower() == "localhost":
        return True
    try:
        found = ipaddress.ip_address(place.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def _defaults() -> dict[str, str]:
    """What libpq takes from variables, and from the service file that PGSERVICE names."""
    from psycopg import pq

    return {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in pq.Conninfo.get_defaults()
        if option.val is not None
    }


def _service(given: Mapping[str, Any]) -> dict[str, str]:
    """What the service file says that is named in the URL; an unknown host where it cannot be found here."""
    name = _text(given.get("service", ""))
    if not name:
        return {}
    places = [os.environ.get("PGSERVICEFILE") or str(Path.home() / ".pg_service.conf")]
    if folder := os.environ.get("PGSYSCONFDIR"):
        places.append(str(Path(folder) / "pg_service.conf"))
    for place in places:
        parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), default_section="")
        try:
            parser.read(place, encoding="utf-8")
            if parser.has_section(name):
                return dict(parser[name])
        except (configparser.Error, OSError, ValueError):
            break
    return {"host": _UNKNOWN, "hostaddr": "", "sslmode": "prefer"}


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
