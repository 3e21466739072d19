"""Spans through the loader, to compare what its SQL says with what Python says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.segments import load, write
from vagus.meaning.field import Kind
from vagus.meaning.fields import COLUMNS
from vagus.meaning.read import Value, read_fields
from vagus.store.engine import Engine

_NUMBERS = [row.name for row in COLUMNS if row.kind is Kind.NUMBER]


@dataclass(frozen=True)
class Case:
    """One span: its attributes and its resource's as texts, its scope's name and version."""

    attributes: dict[str, str]
    resource: dict[str, str] = field(default_factory=dict)
    scope: tuple[str, str] = ("", "")
    start_ns: int = 0

    def read(self) -> dict[str, Value]:
        """What Python says."""
        name, version = self.scope
        return read_fields(
            self.attributes,
            self.resource,
            scope=name,
            scope_version=version,
            start_ns=self.start_ns,
        )


def loaded_fields(
    engine: Engine, project: str, path: Path, cases: Sequence[Case]
) -> list[dict[str, Value]]:
    """What the loader's SQL says about each."""
    message = ExportTraceServiceRequest()
    for number, case in enumerate(cases):
        group = message.resource_spans.add()
        for key, value in case.resource.items():
            group.resource.attributes.add(key=key).value.string_value = value
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = case.scope
        span = scope.spans.add(
            trace_id=bytes(16),
            span_id=(number + 1).to_bytes(8, "big"),
            start_time_unix_nano=case.start_ns,
        )
        for key, value in case.attributes.items():
            span.attributes.add(key=key).value.string_value = value
    write(path, project, message.SerializeToString())
    load(engine, path)
    names = ", ".join(["kind", *(row.name for row in COLUMNS)])
    found = engine.query(
        f"SELECT {names} FROM spans WHERE project = {{p:String}} ORDER BY span_id", {"p": project}
    )
    return [_typed(row) for row in found.dicts()]


def _typed(row: dict[str, Value]) -> dict[str, Value]:
    """A whole real number comes as an integer out of JSON."""
    for name in _NUMBERS:
        value = row[name]
        row[name] = None if value is None else float(value)
    return row
