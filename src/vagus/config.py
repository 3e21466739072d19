"""The one settings tree: every option, its default and its help, from file, environment and flags.

Precedence: command-line flag, then environment (`VAGUS_SECTION_NAME`), then the TOML file, then
the default. An unknown key or a value out of range fails at start, with the fix in the message.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vagus.errors import ConfigError


def option(
    default: Any, help: str, *, minimum: float | None = None, is_secret: bool = False
) -> Any:
    """A setting with its default and its one-sentence help; a secret one is never shown."""
    return field(
        default=default, metadata={"help": help, "minimum": minimum, "is_secret": is_secret}
    )


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where Vagus listens and who may talk to it."""

    host: str = option("127.0.0.1", "Address to listen on.")
    port: int = option(
        4318, "HTTP port: OTLP, REST, UI and metrics; 0 picks a free one.", minimum=0
    )
    grpc_port: int = option(4317, "OTLP/gRPC port; 0 picks a free one.", minimum=0)
    auth: bool = option(True, "Ask for a key or a sign-in; false only on a loopback address.")
    public_url: str = option("", "Address people use to reach Vagus, for links in notifications.")


@dataclass(frozen=True, slots=True)
class ReceiveSettings:
    """What the receiver takes in, and when it refuses."""

    max_body_bytes: int = option(
        64 * 1024 * 1024, "Largest request after decompression, in bytes.", minimum=1024
    )
    max_backlog_bytes: int = option(
        2 * 1024**3, "Write-ahead log bytes not yet loaded before 429 is answered.", minimum=1
    )
    keyless_loopback: bool = option(
        True, "Take telemetry without a key from this machine, while server.host is a loopback one."
    )
    segment_bytes: int = option(
        32 * 1024 * 1024,
        "Size at which a write-ahead log segment is sealed, in bytes.",
        minimum=1024,
    )
    segment_ms: int = option(
        500, "Age in milliseconds at which a segment with data is sealed.", minimum=1
    )


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where data is kept, for how long, and how much of it."""

    url: str = option(
        "", "Remote ClickHouse (clickhouse://user:password@host:8123/db); empty: embedded."
    )
    meta_url: str = option("", "Metadata store URL (postgresql://...); empty: SQLite.")
    retention_days: int = option(30, "Days that telemetry is kept.", minimum=1)
    disk_cap_bytes: int = option(
        50 * 1024**3,
        "Hard limit of the data directory, in bytes; the oldest days go first.",
        minimum=64 * 1024 * 1024,
    )
    memory_bytes: int = option(
        1024 * 1024 * 1024, "Memory one query may use, in bytes.", minimum=64 * 1024 * 1024
    )


@dataclass(frozen=True, slots=True)
class SettleSettings:
    """When a trace counts as finished."""

    quiet_ms: int = option(
        3000, "Milliseconds without a new span after which a trace settles.", minimum=0
    )
    max_open_ms: int = option(
        60_000,
        "Milliseconds after which a trace that never goes quiet is settled anyway.",
        minimum=0,
    )


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """Built-in evaluation of live traffic."""

    enabled: bool = option(True, "Run the built-in evaluators.")
    sample_rate: float = option(0.25, "Share of traces evaluated, 0 to 1.", minimum=0)
    max_per_minute: int = option(1200, "Most evaluations a minute, over all projects.", minimum=1)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How often monitors look."""

    interval_s: float = option(
        10.0, "Seconds between two evaluations of the monitors.", minimum=0.1
    )


@dataclass(frozen=True, slots=True)
class RespondSettings:
    """Where notifications may go."""

    allow_private: str = option(
        "", "Private networks that webhooks may reach, as CIDR ranges separated by commas."
    )
    smtp_url: str = option(
        "", "Mail server, smtp://user:password@host:587 or smtps://...:465; empty: no e-mail."
    )
    smtp_from: str = option("", "Sender of e-mail, such as vagus@example.com.")
    transient_delay_min: float = option(
        15.0, "Minutes that a transient incident lasts before anybody is told.", minimum=0
    )
    allow_commands: bool = option(
        False, "Let runbooks run commands on this machine, each approved by a person."
    )


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Where measures are sent."""

    remote_write_url: str = option(
        "", "Prometheus remote-write address to send every measure to; empty: none."
    )
    remote_write_bearer: str = option(
        "", "Bearer token for the remote-write address.", is_secret=True
    )
    remote_write_headers: str = option(
        "", "Headers for it, as Name=value separated by commas.", is_secret=True
    )


@dataclass(frozen=True, slots=True)
class InfraSettings:
    """Infrastructure metrics that are asked of a Prometheus server when somebody looks."""

    prometheus_url: str = option(
        "", "Address of a Prometheus server to ask about infrastructure; empty: none."
    )
    prometheus_bearer: str = option("", "Bearer token for that server.", is_secret=True)
    queries: str = option(
        "", "YAML file with the PromQL queries to ask; empty: those that ship with Vagus."
    )
    projects: str = option(
        "default", "Projects that may see the answers, separated by commas; * is all of them."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole tree; `data` is the directory that holds everything Vagus keeps."""

    data: Path = option(Path(".vagus"), "Directory for everything Vagus keeps.")
    server: ServerSettings = field(default_factory=ServerSettings)
    receive: ReceiveSettings = field(default_factory=ReceiveSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    settle: SettleSettings = field(default_factory=SettleSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    respond: RespondSettings = field(default_factory=RespondSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    infra: InfraSettings = field(default_factory=InfraSettings)


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the settings table: what docs, `--help` and the Settings page show."""

    key: str
    env: str
    type: type
    default: Any
    help: str
    minimum: float | None
    is_secret: bool


def options() -> Iterator[Option]:
    """Every setting, in the order of the tree, keyed as `section.name`."""
    for prefix, owner, part in _fields(Settings, ""):
        kind = typing.get_type_hints(owner)[part.name]
        yield Option(
            key=prefix + part.name,
            env="VAGUS_" + (prefix + part.name).replace(".", "_").upper(),
            type=kind,
            default=part.default,
            help=part.metadata["help"],
            minimum=part.metadata["minimum"],
            is_secret=part.metadata["is_secret"],
        )


def _fields(owner: type, prefix: str) -> Iterator[tuple[str, type, dataclasses.Field[Any]]]:
    hints = typing.get_type_hints(owner)
    for part in dataclasses.fields(owner):
        kind = hints[part.name]
        if dataclasses.is_dataclass(kind):
            yield from _fields(typing.cast("type", kind), f"{part.name}.")
        else:
            yield prefix, owner, part


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the source of each value: `default`, `file`, `environment` or `flag`."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] = types.MappingProxyType({}),
    flags: Mapping[str, Any] = types.MappingProxyType({}),
) -> Loaded:
    """Settings from all their sources, checked; raises `ConfigError` with the fix."""
    table = {row.key: row for row in options()}
    values: dict[str, Any] = {}
    sources = dict.fromkeys(table, "default")
    if file is not None:
        _take(values, sources, table, _flatten(_read_toml(file)), f"file {file}", "file")
    _take(values, sources, table, _from_environ(environ, table), "environment", "environment")
    given = {key: value for key, value in flags.items() if value is not None}
    _take(values, sources, table, given, "flags", "flag")
    settings = _build(values)
    _check(settings)
    return Loaded(settings, sources)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as e:
        raise ConfigError(f"cannot read the settings file {file}: {e.strerror}") from e
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{file} is not valid TOML: {e}") from e


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _from_environ(environ: Mapping[str, str], table: Mapping[str, Option]) -> dict[str, str]:
    by_env = {row.env: key for key, row in table.items()}
    # VAGUS_URL, VAGUS_API_KEY and the like belong to the SDK; only section names are settings.
    sections = {row.env.split("_")[1] for row in table.values() if "." in row.key}
    found = {}
    for name, value in environ.items():
        if name in by_env:
            found[by_env[name]] = value
        elif name.startswith("VAGUS_") and name.split("_")[1] in sections:
            raise ConfigError(f"unknown setting {name}; see `vagus serve --help` for the list")
    return found


def _take(
    values: dict[str, Any],
    sources: dict[str, str],
    table: Mapping[str, Option],
    given: Mapping[str, Any],
    where: str,
    source: str,
) -> None:
    for key, raw in given.items():
        row = table.get(key)
        if row is None:
            raise ConfigError(f"unknown setting {key!r} in {where}; known: {', '.join(table)}")
        values[key] = _convert(row, raw, where)
        sources[key] = source


def _convert(row: Option, raw: Any, where: str) -> Any:
    try:
        value = _parse(row.type, raw)
    except ValueError as e:
        name = row.type.__name__
        raise ConfigError(f"{row.key} in {where} must be a {name}, not {raw!r}") from e
    if row.minimum is not None and value < row.minimum:
        raise ConfigError(f"{row.key} in {where} is {value}; the least allowed is {row.minimum:g}")
    return value


def _parse(kind: type, raw: Any) -> Any:
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() not in words:
            raise ValueError(raw)
        return words[str(raw).lower()]
    if kind in (int, float) and isinstance(raw, bool):
        raise ValueError(raw)
    return kind(raw)


def _build(values: Mapping[str, Any]) -> Settings:
    sections: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        sections.setdefault(section, {})[name] = value
    top = sections.pop("", {})
    hints = typing.get_type_hints(Settings)
    return Settings(**top, **{name: hints[name](**given) for name, given in sections.items()})


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    return host in ("127.0.0.1", "::1", "localhost")


def _check(settings: Settings) -> None:
    server = settings.server
    if not server.auth and not is_loopback(server.host):
        raise ConfigError(
            f"server.auth is off and server.host is {server.host}: anyone on the network could "
            "read everything; listen on 127.0.0.1 or leave server.auth on"
        )
    if server.port and server.port == server.grpc_port:
        raise ConfigError(f"server.port and server.grpc_port are both {server.port}; change one")
    if settings.quality.sample_rate > 1:
        raise ConfigError("quality.sample_rate is a share: between 0 and 1")
