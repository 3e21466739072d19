"""Access: the one place that turns a request's credential into a principal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import Counter

from vagus.errors import BadInput, Forbidden, NotFound, Unauthorized
from vagus.store.meta.access.keys import Keys, StoredKey
from vagus.store.meta.access.people import SESSION_MS, People, User
from vagus.store.meta.access.principal import (
    ALL_SCOPES,
    API_KEY_SCOPES,
    INGEST_KEY_SCOPES,
    OWNER_SCOPES,
    VIEWER_SCOPES,
    Principal,
    Recorder,
)
from vagus.store.meta.access.projects import check_project_id, ensure_project, has_project
from vagus.store.meta.access.recent import Recent
from vagus.store.meta.access.secret import Pepper
from vagus.store.meta.db import Meta

DEFAULT_PROJECT = "default"
PROJECT_HEADER = "x-vagus-project"

_refused = Counter(
    "vagus_access_refused_total", "Requests refused for their credential, by reason.", ["reason"]
)


@dataclass(frozen=True, slots=True)
class Started:
    """What to print at start; `ingest_key` is known only at the very first start."""

    sign_in_token: str
    ingest_key: str | None


class Access:
    """Checks credentials; with `auth` off everyone is the owner (for loopback addresses only)."""

    def __init__(
        self,
        meta: Meta,
        audit: Recorder,
        pepper: Pepper,
        *,
        now_ms: Callable[[], int],
        auth: bool = True,
    ) -> None:
        self.keys = Keys(meta, audit, pepper)
        self.people = People(meta, audit, pepper)
        self.auth = auth
        self._meta = meta
        self._now_ms = now_ms
        self._projects: Recent[bool] = Recent()

    def start(self) -> Started:
        """Makes the default project, the owner and, the first time, an ingest key."""
        now_ms = self._now_ms()
        with self._meta.begin() as connection:
            is_first = ensure_project(connection, DEFAULT_PROJECT, "Default", now_ms)
        owner = self.people.ensure_owner(now_ms)
        ingest_key = None
        if is_first:
            made = self.keys.create(
                DEFAULT_PROJECT, "First ingest key", "ingest", actor="system", now_ms=now_ms
            )
            ingest_key = made.text
        link = self.people.new_link(owner.id, actor="system", now_ms=now_ms)
        return Started(link, ingest_key)

    def authenticate(self, key: str | None, headers: Mapping[str, str]) -> Principal:
        """The principal of a key; `headers`, in lower case, may choose another project.

        Raises `Unauthorized` without a good key, `Forbidden` where it does not reach.
        """
        wanted = headers.get(PROJECT_HEADER, "")
        try:
            if not self.auth:
                return self._anyone(self._made(wanted or DEFAULT_PROJECT))
            if not key:
                raise Unauthorized("a key is needed: send it as `Authorization: Bearer <key>`")
            return self._key_principal(self.keys.check(key, self._now_ms()), wanted)
        except BadInput as e:
            _refused.labels(type(e).__name__.lower()).inc()
            raise

    def authenticate_session(self, token: str | None, project: str = "") -> Principal:
        """The principal of a session cookie, in a project that exists."""
        try:
            if not self.auth:
                return self._anyone(self._existing(project or DEFAULT_PROJECT))
            user = self.people.session(token or "", self._now_ms())
            return self._user_principal(user, self._existing(project or DEFAULT_PROJECT))
        except BadInput as e:
            _refused.labels(type(e).__name__.lower()).inc()
            raise

    def _key_principal(self, key: StoredKey, wanted: str) -> Principal:
        project = key.project
        if wanted and wanted != project:
            if not key.all_projects:
                raise Forbidden(f"this key belongs to another project than {wanted[:63]!r}")
            project = self._existing(wanted)
        scopes = INGEST_KEY_SCOPES if key.kind == "ingest" else API_KEY_SCOPES
        return Principal(project, f"key:{key.id}", scopes)

    def _user_principal(self, user: User, project: str) -> Principal:
        is_owner = user.role == "owner"
        return Principal(
            project=project,
            actor=f"user:{user.id}",
            scopes=OWNER_SCOPES if is_owner else VIEWER_SCOPES,
            credential="session",
            user=user.name,
            role=user.role,
        )

    def _anyone(self, project: str) -> Principal:
        return Principal(project, "anyone", ALL_SCOPES, "none", "Anyone", "owner")

    def _made(self, project: str) -> str:
        """The project, made at first sight: without sign-in nobody could make it beforehand."""
        try:
            return self._existing(project)
        except NotFound:
            with self._meta.begin() as connection:
                ensure_project(connection, project, project, self._now_ms())
            self._projects.forget()
            return project

    def _existing(self, project: str) -> str:
        now_ms = self._now_ms()
        remembered = self._projects.get(check_project_id(project), now_ms)
        exists = has_project(self._meta, project) if remembered is None else remembered[0]
        if remembered is None:
            self._projects.put(project, exists, now_ms)
        if not exists:
            raise NotFound(f"there is no project {project!r}", field="project")
        return project


def session_cookie(token: str, *, is_secure: bool) -> str:
    """The `Set-Cookie` value that keeps a session; empty `token` removes it."""
    name = cookie_name(is_secure=is_secure)
    age_s = SESSION_MS // 1000 if token else 0
    secure = "; Secure" if is_secure else ""
    return f"{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}"


def cookie_name(*, is_secure: bool) -> str:
    """The session cookie's name; the prefix makes browsers hold it to this host and to TLS."""
    return "__Host-vagus" if is_secure else "vagus_session"
