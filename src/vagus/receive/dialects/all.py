"""Every protocol that is spoken, and which requests belong to one of them."""

from __future__ import annotations

from vagus.receive.dialects.base import Route

#: Where two protocols use one path, the route that stands first answers both.
ROUTES: tuple[Route, ...] = ()
