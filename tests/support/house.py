"""A real API over a real engine, with hands to send telemetry and to ask as somebody."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from starlette.testclient import TestClient

from support.segments import load, write
from vagus.assess.cost.prices import list_price
from vagus.assess.quality.scores import write_scores
from vagus.audit.log import Audit
from vagus.config import SettleSettings
from vagus.config import load as load_settings
from vagus.measures.catalogue import load_catalogue
from vagus.present.api import IngestHealth, Services, build_api
from vagus.receive.blobs import BlobStore
from vagus.receive.redact.book import RuleBook
from vagus.receive.redact.seal import key_at
from vagus.settle.journal import Journal
from vagus.settle.settler import Settler
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.access.access import Access
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.access.secret import Pepper
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade

NOW_MS = 1_795_000_000_000


class Memory:
    """Where the settler keeps its place."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        self.values[key] = value


class House:
    """One instance of Vagus without its sockets; `problems` is what its readiness would say."""

    def __init__(self, engine: ChdbEngine, folder: Path, *, auth: bool = True) -> None:
        self.engine, self.folder = engine, folder
        self.meta = Meta.at(folder / "meta.db")
        upgrade(self.meta)
        self.audit = Audit(self.meta)
        pepper = Pepper.at(folder / "pepper")
        self.access = Access(self.meta, self.audit, pepper, now_ms=lambda: NOW_MS, auth=auth)
        self.started = self.access.start()
        self.problems: list[str] = []
        self.settler = Settler(
            engine,
            Journal(folder / "journal", engine),
            Memory(),
            SettleSettings(),
            price=list_price,
            on_verdicts=lambda verdicts: None,
        )
        self.services = Services(
            engine=engine,
            meta=self.meta,
            catalogue=load_catalogue(),
            access=self.access,
            audit=self.audit,
            settings=load_settings(flags={"store.meta_url": "postgresql://me:hush@db/x"}),
            now_ms=lambda: NOW_MS,
            write_scores=lambda project, scores: write_scores(engine, project, scores),
            ingest_health=lambda: IngestHealth(12.5, 100, 20.0, {"bad_key": 2}, NOW_MS),
            problems=lambda: self.problems,
            runbook=lambda cause: f"# {cause}\n",
            redaction=RuleBook(Memory(), key_at(folder / "redaction.key")),
            blobs=BlobStore(folder / "blobs"),
        )
        self.app: FastAPI = build_api(self.services)

    def client(self, key: str = "", **headers: str) -> TestClient:
        """Somebody who asks, with an API key or with nothing."""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return TestClient(
            self.app, base_url="http://127.0.0.1", headers=headers, follow_redirects=False
        )

    def owner(self) -> TestClient:
        """The owner in a browser, signed in."""
        user = self.access.people.ensure_owner(NOW_MS)
        token = self.access.people.new_link(user.id, actor="test", now_ms=NOW_MS)
        client = self.client(Origin="http://127.0.0.1")
        assert client.get(f"/sign-in?token={token}").status_code == 303
        return client

    def key(self, project: str, kind: str = "api") -> str:
        """A fresh key of a project, which is made if need be."""
        with self.meta.begin() as connection:
            ensure_project(connection, project, project, NOW_MS)
        made = self.access.keys.create(project, "a key", kind, actor="test", now_ms=NOW_MS)
        return made.text


@dataclass
class Desk:
    """One project of the instance, and its API key at work."""

    house: House
    project: str
    key: str
    client: TestClient

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a good answer."""
        return good(self.client.get(path, params=params))

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a good answer."""
        return good(self.client.post(path, json=body))

    def send(
        self,
        message: ExportTraceServiceRequest | ExportLogsServiceRequest,
        signal: str = "traces",
        *,
        settle: bool = True,
    ) -> None:
        """Telemetry on its real way into the tables."""
        path = self.house.folder / f"{os.urandom(6).hex()}.seg"
        received_ns = NOW_MS * 1_000_000
        raw = message.SerializeToString()
        write(path, self.project, raw, signal=signal, received_ns=received_ns)
        number = load(self.house.engine, path, signal=signal)
        if settle:
            self.house.settler.loaded(signal, number)
            self.house.settler.tick(everything=True)


def good(answer: httpx.Response) -> Any:
    """The JSON of an answer that must be a success."""
    assert answer.status_code < 300, (answer.status_code, answer.text)
    return answer.json()


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    """Plain values as OTLP attributes."""
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: Any) -> AnyValue:
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return AnyValue(**{kinds[type(value)]: value})


def add_span(
    message: ExportTraceServiceRequest,
    trace: bytes,
    number: int,
    parent: int = 0,
    *,
    start_ms: float = 0,
    ms: float = 10,
    error: str = "",
    name: str = "",
    attributes: dict[str, Any] | None = None,
    resource: dict[str, Any] | None = None,
) -> None:
    """One more span; times count in milliseconds from a minute before now."""
    if not message.resource_spans:
        scope = message.resource_spans.add()
        scope.resource.attributes.extend(pairs({"service.name": "shop", **(resource or {})}))
        scope.scope_spans.add()
    begin_ns = (NOW_MS - 60_000) * 1_000_000
    made = (
        message.resource_spans[0]
        .scope_spans[0]
        .spans.add(
            trace_id=trace,
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            name=name or f"span {number}",
            start_time_unix_nano=begin_ns + int(start_ms * 1e6),
            end_time_unix_nano=begin_ns + int((start_ms + ms) * 1e6),
        )
    )
    if error:
        made.status.code, made.status.message = 2, error
    made.attributes.extend(pairs(attributes or {}))


def llm(**more: Any) -> dict[str, Any]:
    """The attributes of a model call."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        **more,
    }


def a_trace(**attributes: Any) -> tuple[str, ExportTraceServiceRequest]:
    """A request of an agent that calls a model once; gives its id too."""
    trace, message = os.urandom(16), ExportTraceServiceRequest()
    agent = {"gen_ai.operation.name": "invoke_agent", **attributes}
    add_span(message, trace, 1, ms=100, name="answer", attributes=agent)
    add_span(message, trace, 2, 1, start_ms=10, ms=80, name="chat", attributes=llm())
    return trace.hex(), message
