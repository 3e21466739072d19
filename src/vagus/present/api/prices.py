"""Prices of one's own, calls without a price, and pricing history again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, delete, func, select

from vagus.assess.cost.book import EVERY_PROJECT, MAX_PRICES
from vagus.assess.cost.contract import OwnPrice, decode_price
from vagus.assess.cost.jobs import Job, Order, create_job, get_job, list_jobs
from vagus.errors import BadInput, NotFound
from vagus.measures.plan import scope
from vagus.present.api.base import Done, From, Model, To
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.moment import parse_range
from vagus.store.meta.access.principal import Principal
from vagus.store.meta.money import prices as table
from vagus.store.meta.write import upsert

router = APIRouter(prefix="/api/v1", tags=["prices"])

PriceId = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
_CHANGE = (
    "trace_id, span_id, provider, model, before_usd, after_usd, before_source, after_source, "
    "before_price_source, after_price_source, before_price_id, after_price_id, before_dimensions, "
    "after_dimensions"
)


class PriceSpec(Model):
    """A price to keep; exactly one of `per_million`, `list_factor` and `gpu` says how much.

    With `every_project` it holds for all projects, which only an owner may say.
    """

    name: str = Field("", max_length=200)
    provider: str = Field("", max_length=100)
    model: dict[str, str]
    per_million: dict[str, float] = Field(default_factory=dict)
    each: dict[str, float] = Field(default_factory=dict)
    above: list[dict[str, Any]] = Field(default_factory=list)
    tiers: dict[str, float] = Field(default_factory=dict)
    list_factor: float | None = None
    gpu: dict[str, float] | None = None
    valid_from_ms: int = Field(0, ge=0)
    valid_to_ms: int | None = Field(None, ge=0)
    every_project: bool = False


class PriceBody(PriceSpec):
    """A price of one's own with its id."""

    id: str
    created_ms: int
    updated_ms: int


class UnknownPriceBody(Model):
    """Calls of one model whose cost is unknown, and why."""

    provider: str
    model: str
    reason: str
    calls: int
    input_tokens: int
    output_tokens: int


class RepriceSpec(Model):
    """What to price again; `from` and `to` are epoch seconds or relative such as -30d."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: str = Field("-30d", alias="from", max_length=40)
    end: str = Field("now", alias="to", max_length=40)
    dry_run: bool = False
    why: str = Field("", max_length=500)


class RepriceJobBody(Model):
    """A job that prices history again; amounts are those of the steps that change."""

    id: str
    state: str
    start_s: int
    end_s: int
    dry_run: bool
    why: str
    actor: str
    traces: int
    calls: int
    changed: int
    before_usd: float
    after_usd: float
    unknown_before: int
    unknown_after: int
    created_ms: int
    updated_ms: int


class RepricedBody(Model):
    """One row that a job changed: what it said before and after; a trace has no span id."""

    trace_id: str
    span_id: str
    provider: str
    model: str
    before_usd: float | None
    after_usd: float | None
    before_source: str
    after_source: str
    before_price_source: str
    after_price_source: str
    before_price_id: str
    after_price_id: str
    before_dimensions: dict[str, str]
    after_dimensions: dict[str, str]


@router.get("/prices")
def prices(services: Given, principal: CanRead) -> list[PriceBody]:
    """The prices of one's own that hold in the project."""
    projects = (principal.project, EVERY_PROJECT)
    query = select(table).where(table.c.project.in_(projects)).order_by(table.c.id, table.c.project)
    with services.meta.read() as connection:
        return [_body(row) for row in connection.execute(query)]


@router.get("/prices/unknown")
def unknown_prices(
    services: Given,
    principal: CanRead,
    start: From = "-24h",
    end: To = "now",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[UnknownPriceBody]:
    """The models whose calls have no known cost, those with the most calls first."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    condition, params = scope(principal.project, start_s - start_s % 60, end_s)
    reason = (
        "multiIf(is_cut_off = 1 AND has_usage = 0, 'cut_off', has_usage = 0, 'no_usage', "
        "is_usage_partial = 1, 'partial_usage', model = '', 'no_model', 'no_price')"
    )
    found = services.engine.query(
        f"SELECT toString(provider) AS provider, toString(model) AS model, {reason} AS reason, "
        "sum(sign) AS calls, sum(toInt64(input_tokens) * sign) AS input_tokens, "
        f"sum(toInt64(output_tokens) * sign) AS output_tokens FROM steps WHERE {condition} "
        "AND is_billable = 1 AND cost_source = 'unknown' GROUP BY provider, model, reason "
        f"HAVING calls > 0 ORDER BY calls DESC, provider, model, reason LIMIT {limit:d}",
        params,
    )
    return [UnknownPriceBody.model_validate(row) for row in found.dicts()]


@router.post("/prices/reprice", status_code=202)
def reprice(services: Given, principal: CanWrite, body: RepriceSpec) -> RepriceJobBody:
    """Price history again by the prices and rules of now; what was shown before is kept."""
    start_s, end_s = parse_range(body.start, body.end, now_s=services.now_s)
    order = Order(
        start_s=start_s, end_s=end_s, dry_run=body.dry_run, why=body.why, actor=principal.actor
    )
    job = create_job(services.meta, principal.project, order, services.now_ms())
    services.audit.record(
        principal.actor,
        "reprice.start",
        f"reprice:{job.id}",
        principal.project,
        msgspec.to_builtins(order),
        now_ms=job.created_ms,
    )
    return _job(job)


@router.get("/prices/reprice")
def reprice_jobs(services: Given, principal: CanRead) -> list[RepriceJobBody]:
    """The jobs of the project, the newest first."""
    return [_job(job) for job in list_jobs(services.meta, principal.project)]


@router.get("/prices/reprice/{job_id}")
def reprice_job(
    services: Given, principal: CanRead, job_id: Annotated[str, Path(max_length=64)]
) -> RepriceJobBody:
    """How far a job is, and what it changed."""
    return _job(get_job(services.meta, principal.project, job_id))


@router.get("/prices/reprice/{job_id}/changes")
def reprice_changes(
    services: Given,
    principal: CanRead,
    job_id: Annotated[str, Path(max_length=64)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[RepricedBody]:
    """The rows that a job changed, with what was shown before."""
    job = get_job(services.meta, principal.project, job_id)
    found = services.engine.query(
        f"SELECT {_CHANGE} FROM repricings WHERE project = {{project:String}} "
        "AND job = {job:String} ORDER BY minute, trace_id, span_id "
        f"LIMIT {limit:d}",
        {"project": principal.project, "job": job.id},
    )
    return [RepricedBody.model_validate(row) for row in found.dicts()]


@router.get("/prices/{price_id}")
def price(services: Given, principal: CanRead, price_id: PriceId) -> PriceBody:
    """One price of one's own."""
    projects = (principal.project, EVERY_PROJECT)
    own = (table.c.id == price_id) & table.c.project.in_(projects)
    query = select(table).where(own).order_by(table.c.project.desc()).limit(1)
    with services.meta.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound("there is no such price", field="id")
    return _body(row)


@router.put("/prices/{price_id}")
def put_price(
    services: Given, principal: CanWrite, price_id: PriceId, body: PriceSpec
) -> PriceBody:
    """Create a price, or replace the one of this id; it holds for what settles from now on."""
    project = _project(principal, body.every_project)
    own = decode_price(body.model_dump(exclude={"every_project"}, exclude_none=True))
    now_ms = services.now_ms()
    known = (table.c.id == price_id) & (table.c.project == project)
    with services.meta.begin() as connection:
        before = connection.execute(select(table.c.created_ms).where(known)).first()
        if before is None:
            _check_room(connection, project)
        row = {
            "id": price_id,
            "project": project,
            "spec": msgspec.to_builtins(own),
            "created_ms": now_ms if before is None else before.created_ms,
            "updated_ms": now_ms,
        }
        upsert(connection, table, row)
        services.audit.record(
            principal.actor,
            "price.create" if before is None else "price.update",
            f"price:{price_id}",
            project,
            {"spec": row["spec"]},
            now_ms=now_ms,
            connection=connection,
        )
        kept = connection.execute(select(table).where(known)).one()
    return _body(kept)


@router.delete("/prices/{price_id}")
def delete_price(
    services: Given, principal: CanWrite, price_id: PriceId, every_project: bool = False
) -> Done:
    """Delete a price; what was priced by it keeps its cost until it is priced again."""
    project = _project(principal, every_project)
    known = (table.c.id == price_id) & (table.c.project == project)
    with services.meta.begin() as connection:
        spec = connection.execute(select(table.c.spec).where(known)).scalar()
        if spec is None:
            raise NotFound("there is no such price", field="id")
        connection.execute(delete(table).where(known))
        services.audit.record(
            principal.actor,
            "price.delete",
            f"price:{price_id}",
            project,
            {"spec": spec},
            now_ms=services.now_ms(),
            connection=connection,
        )
    return Done()


def _project(principal: Principal, is_every: bool) -> str:
    if not is_every:
        return principal.project
    principal.require("admin")
    return EVERY_PROJECT


def _check_room(connection: Connection, project: str) -> None:
    query = select(func.count()).select_from(table).where(table.c.project == project)
    if connection.execute(query).scalar_one() >= MAX_PRICES:
        raise BadInput("there are too many prices", field="id", limit=f"{MAX_PRICES}")


def _body(row: Any) -> PriceBody:
    spec = msgspec.to_builtins(msgspec.convert(row.spec, OwnPrice))
    model = {way: text for way, text in spec["model"].items() if text is not None}
    gpu = {name: value for name, value in (spec["gpu"] or {}).items() if value is not None}
    return PriceBody(
        **{**spec, "model": model, "gpu": gpu or None},
        id=row.id,
        every_project=row.project == EVERY_PROJECT,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
    )


def _job(job: Job) -> RepriceJobBody:
    shown = {
        **msgspec.to_builtins(job.order),
        **msgspec.to_builtins(job.progress),
        "id": job.id,
        "state": job.state,
        "created_ms": job.created_ms,
        "updated_ms": job.updated_ms,
    }
    return RepriceJobBody(**{name: shown[name] for name in RepriceJobBody.model_fields})
