"""What the request and response models share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

TraceId = Annotated[str, Query(max_length=64)]
From = Annotated[
    str,
    Query(alias="from", max_length=40, description="Epoch seconds, ISO 8601, or -6h."),
]
To = Annotated[
    str, Query(alias="to", max_length=40, description="Epoch seconds, ISO 8601, relative, or now.")
]
FilterText = Annotated[
    str, Query(alias="filter", max_length=4000, description="Terms such as team:support model:a,b.")
]


# The same moments in a body, where numbers may stand as numbers.
Moment = Annotated[str, Field(max_length=40)] | int | float


class Model(BaseModel):
    """A body whose fields are all known."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, from_attributes=True)


class Done(Model):
    """The answer to an action that has nothing more to say."""

    ok: bool = True
