"""What the request and response models share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

TraceId = Annotated[str, Query(max_length=64)]
From = Annotated[
    str, Query(alias="from", max_length=20, description="Epoch seconds, or relative such as -6h.")
]
To = Annotated[
    str, Query(alias="to", max_length=20, description="Epoch seconds, relative, or now.")
]
FilterText = Annotated[
    str, Query(alias="filter", max_length=4000, description="Terms such as team:support model:a,b.")
]


class Model(BaseModel):
    """A body whose fields are all known."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, from_attributes=True)


class Done(Model):
    """The answer to an action that has nothing more to say."""

    ok: bool = True
