"""LangSmith's paths: runs and feedback are kept, the questions its client asks are answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from vagus.errors import BadInput, NotFound, VagusError
from vagus.receive.dialects.base import Answer, Call, Route, decode_json
from vagus.receive.dialects.build import Telemetry, Verdict
from vagus.receive.dialects.langsmith.feedback import read_change, read_feedback
from vagus.receive.dialects.langsmith.multipart import Part, read_parts
from vagus.receive.dialects.langsmith.runs import add_run, merge_run
from vagus.receive.dialects.shared import mapping, refuse_each, text

# The fields of a run that its client sends as parts of their own, because they may be large.
_OUT_OF_LINE = frozenset(
    ("inputs", "outputs", "events", "extra", "error", "serialized", "attachments")
)
_NAMESPACE = uuid.UUID("9d1c7f6e-0f43-5b52-8f0e-6d5b0c7a2f31")
_SINCE = "2026-01-01T00:00:00+00:00"
_TENANT = str(uuid.UUID(int=0))
_NOT_KEPT = "this is not kept here: runs and feedback are"


class _Batch:
    """What one request says about runs and feedback; writes about one run become one."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.telemetry = Telemetry()
        self.bad: list[BadInput] = []
        self._runs: dict[str, dict[str, Any]] = {}

    def add(self, run: Any, native: str = "") -> None:
        """A create or an update of a run, or some of its fields."""
        if not isinstance(run, dict):
            raise BadInput("a run must be a JSON object", field="run")
        native = native or text(run.get("id"))
        if not native:
            raise BadInput("a run needs an id", field="id")
        merge_run(self._runs.setdefault(native, {"id": native}), run)

    def feedback(self, said: Any) -> None:
        """One feedback."""
        self.telemetry.add_verdict(read_feedback(mapping(said), self.now_ns))

    def each(self, items: Any, name: str, handle: Callable[[Any], None]) -> None:
        """Handle every item of a list; what cannot be used is remembered."""
        if not isinstance(items, list):
            raise BadInput(f"{name} must be a list", field=name)
        self.bad += [error for _, error in refuse_each(items, name, handle)]

    def answer(self) -> Answer:
        """202, or 422 with what was wrong; what was right is kept in either case."""
        self.each(list(self._runs.values()), "run", lambda run: add_run(run, self.telemetry))
        if not self.bad:
            return Answer({}, 202, telemetry=self.telemetry)
        return Answer({"detail": _details(self.bad)}, 422, telemetry=self.telemetry)


def _multipart(call: Call) -> Answer:
    batch = _Batch(call.now_ns)
    parts = list(read_parts(call.body, call.headers.get("content-type", "")))
    batch.each(parts, "part", lambda part: _part(part, batch))
    return batch.answer()


def _part(part: Part, batch: _Batch) -> None:
    """One part: `post.<run>`, `patch.<run>`, one of their fields, feedback or an attachment."""
    kind, _, rest = part.name.partition(".")
    native, _, field = rest.partition(".")
    if kind == "feedback":
        batch.feedback(decode_json(part.content, part.name[:100]))
    elif kind == "attachment" and native and field:
        media, size = part.media_type.partition(";")[0], len(part.content)
        batch.add({f"attachment.{field}": {"media_type": media, "bytes": size}}, native)
    elif kind not in ("post", "patch") or not native:
        raise BadInput(
            f"a part is named {part.name[:100]!r}, not post, patch, feedback or attachment",
            field="name",
        )
    elif not field:
        batch.add(decode_json(part.content, part.name[:100]), native)
    elif field in _OUT_OF_LINE:
        batch.add({field: decode_json(part.content, part.name[:100])}, native)
    else:
        raise BadInput(f"a run has no part {field[:40]!r}", field=part.name[:100])


def _runs_batch(call: Call) -> Answer:
    body = call.json_object()
    batch = _Batch(call.now_ns)
    for name in ("post", "patch"):
        batch.each(body.get(name) or [], name, batch.add)
    return batch.answer()


def _run(call: Call) -> Answer:
    batch = _Batch(call.now_ns)
    batch.add(call.json_object(), call.params.get("run_id", ""))
    return batch.answer()


def _feedback(call: Call) -> Answer:
    body = call.json_object()
    body.setdefault("id", str(uuid.uuid5(_NAMESPACE, call.body.decode(errors="replace"))))
    batch = _Batch(call.now_ns)
    batch.feedback(body)
    return Answer(body, telemetry=batch.telemetry)


def _feedback_gone(call: Call) -> Answer:
    telemetry = Telemetry()
    telemetry.add_verdict(
        Verdict(
            name="",
            score_id=call.params["feedback_id"],
            time_ns=call.now_ns,
            is_deleted=True,
        )
    )
    return Answer({"message": "Feedback deleted."}, telemetry=telemetry)


def _feedback_change(call: Call) -> Answer:
    telemetry = Telemetry()
    change = read_change(call.params["feedback_id"], call.json_object(), call.now_ns)
    telemetry.add_verdict(change)
    return Answer({"message": "Feedback updated."}, telemetry=telemetry)


def _sessions(call: Call) -> Answer:
    """LangSmith's sessions are projects; one exists as soon as somebody asks for its name."""
    name = call.query.get("name", "")
    return Answer([_session(call, name)] if name else [])


def _session(call: Call, name: str) -> dict[str, Any]:
    native = str(uuid.uuid5(_NAMESPACE, name))
    if call.notes.get(f"langsmith.session.{native}") is None:
        call.notes.put(f"langsmith.session.{native}", name)
    return {
        "id": native,
        "name": name,
        "start_time": _SINCE,
        "tenant_id": _TENANT,
        "reference_dataset_id": None,
    }


def _make_session(call: Call) -> Answer:
    name = text(call.json_object().get("name"))
    if not name:
        raise BadInput("a project needs a name", field="name")
    return Answer(_session(call, name))


def _one_session(call: Call) -> Answer:
    name = call.notes.get(f"langsmith.session.{call.params['session_id']}")
    if name is None:
        raise NotFound("there is no such project", field="session_id")
    return Answer(_session(call, name))


def _settings(_: Call) -> Answer:
    return Answer(
        {"id": _TENANT, "display_name": "Vagus", "created_at": _SINCE, "tenant_handle": None}
    )


def _absent(_: Call) -> Answer:
    raise NotFound(_NOT_KEPT)


def _refuse(error: VagusError) -> dict[str, Any]:
    return {"detail": _details([error])}


def _details(errors: list[Any]) -> list[dict[str, Any]]:
    """Errors as LangSmith's server lists them."""
    return [
        {"loc": ["body", getattr(e, "field", None) or "body"], "msg": str(e), "type": "value_error"}
        for e in errors[:100]
    ]


def _both(prefix: str) -> tuple[Route, ...]:
    return (
        Route(f"{prefix}/runs/multipart", _multipart, refuse=_refuse),
        Route(f"{prefix}/runs/batch", _runs_batch, refuse=_refuse),
        Route(f"{prefix}/runs", _run, refuse=_refuse),
        Route(f"{prefix}/runs/{{run_id}}", _run, ("PATCH",), refuse=_refuse),
        Route(f"{prefix}/feedback", _feedback, refuse=_refuse),
        Route(f"{prefix}/feedback/{{feedback_id}}", _feedback_gone, ("DELETE",), refuse=_refuse),
        Route(f"{prefix}/feedback/{{feedback_id}}", _feedback_change, ("PATCH",), refuse=_refuse),
    )


def _reads(prefix: str) -> tuple[Route, ...]:
    return (
        Route(f"{prefix}/sessions", _sessions, ("GET",), refuse=_refuse),
        Route(f"{prefix}/sessions", _make_session, refuse=_refuse),
        Route(f"{prefix}/sessions/{{session_id}}", _one_session, ("GET",), refuse=_refuse),
        Route(f"{prefix}/settings", _settings, ("GET",), refuse=_refuse),
        *(
            Route(f"{prefix}{path}", _absent, ("GET", "POST"), refuse=_refuse)
            for path in (
                "/runs/query",
                "/runs/stats",
                "/commits/{owner}/{repo}/{commit}",
                "/repos/{owner}/{repo}",
                "/datasets",
                "/datasets/{dataset_id}",
                "/examples",
            )
        ),
        Route(f"{prefix}/runs/{{run_id}}", _absent, ("GET",), refuse=_refuse),
        Route(f"{prefix}/feedback", _absent, ("GET",), refuse=_refuse),
    )


# Under /api/v1 Vagus's own API answers what only reads.
ROUTES = (
    *(
        route
        for prefix in ("", "/api/v1", "/api", "/langsmith", "/langsmith/api/v1")
        for route in _both(prefix)
    ),
    *(route for prefix in ("", "/langsmith", "/langsmith/api/v1") for route in _reads(prefix)),
)
