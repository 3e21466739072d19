"""One line of a provider's usage report or bill, and what a whole export says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from vagus.errors import BadInput

MAX_LINES = 200_000
_MOST = Decimal(10) ** 12
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Line:
    """What was billed on a day (UTC) for a model; None is what the export does not say.

    `identity` tells this line from all others of the same shape, in this export and in a later one
    that covers the same time. `input_tokens` includes the cached ones.
    """

    identity: tuple[str, ...]
    day: str
    model: str
    kind: str
    usd: Decimal | None = None
    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def key(self) -> str:
        """The identity as one short text."""
        return hashlib.blake2b("\0".join(self.identity).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Export:
    """A parsed export: whose it is, how finely its lines are told apart, and the lines.

    `skipped` counts rows that are about something else, such as other services of a cloud.
    """

    provider: str
    format: str
    shape: str
    lines: tuple[Line, ...]
    skipped: int = 0


def gather(provider: str, form: str, shape: str, lines: Iterable[Line], skipped: int = 0) -> Export:
    """An export of lines; those of one identity are added up, and there is a most of them."""
    found: dict[tuple[str, ...], Line] = {}
    for line in lines:
        known = found.get(line.identity)
        found[line.identity] = line if known is None else _added(known, line)
        if len(found) > MAX_LINES:
            raise BadInput("the export has too many lines", field="body", limit=f"{MAX_LINES}")
    if not found:
        raise BadInput(f"the {provider} export has no line that bills a model", field="body")
    return Export(provider, form, shape, tuple(found.values()), skipped)


def _added(one: Line, other: Line) -> Line:
    def both(name: str) -> int | None:
        values = [v for v in (getattr(one, name), getattr(other, name)) if v is not None]
        return sum(values) if values else None

    amounts = [usd for usd in (one.usd, other.usd) if usd is not None]
    return Line(
        one.identity,
        one.day,
        one.model,
        one.kind,
        sum(amounts, Decimal(0)) if amounts else None,
        both("requests"),
        both("input_tokens"),
        both("output_tokens"),
    )


def day_of(value: object, field: str) -> str:
    """The UTC day of a moment: epoch seconds, or a date with or without a time."""
    text = str(value).strip()
    try:
        if isinstance(value, int | float) or text.isdigit():
            return datetime.fromtimestamp(float(text), UTC).date().isoformat()
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        return moment.date().isoformat()
    except (ValueError, OverflowError, OSError) as e:
        raise BadInput(f"{text[:40]!r} is no date", field=field) from e


def usd_of(value: object, field: str) -> Decimal | None:
    """An amount of money, None where the export leaves it empty."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as e:
        raise BadInput(f"{text[:40]!r} is no amount of money", field=field) from e
    if not amount.is_finite() or abs(amount) > _MOST:
        raise BadInput(f"{text[:40]!r} is no amount of money", field=field, limit=f"{_MOST:f}")
    return amount


def count_of(row: Mapping[str, object], *names: str) -> int | None:
    """The sum of some counts; None when the row says none of them."""
    total, is_said = 0, False
    for name in names:
        value = row.get(name)
        if value is None or str(value).strip() == "":
            continue
        try:
            amount = Decimal(str(value))
        except InvalidOperation as e:
            raise BadInput(f"{str(value)[:40]!r} is no count", field=name) from e
        if not amount.is_finite() or not 0 <= amount <= _MOST:
            raise BadInput(f"{str(value)[:40]!r} is no count", field=name, limit=f"{_MOST:f}")
        total, is_said = total + int(amount), True
    return total if is_said else None


def text_of(row: Mapping[str, object], name: str) -> str:
    """A text of a row, '' when it says none; cut short."""
    value = row.get(name)
    return "" if value is None else str(value).strip()[:300]


def check_usd(row: Mapping[str, object], name: str) -> None:
    """Refuse an amount in another currency: nothing here knows its rate."""
    currency = text_of(row, name)
    if currency and currency.lower() != "usd":
        raise BadInput(f"the export bills in {currency[:10]!r}, and only USD is read", field=name)


# What names of models carry beside the model: regions, vendors, versions and dates.
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_REGION = re.compile(r"^(us|eu|apac|ap|jp|au|global|us-gov)\.")
_VENDOR = re.compile(r"^(anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|xai)[./]")
_VERSION = re.compile(r"(-v\d+)?(:\d+)?$")
_DATED = re.compile(r"[-@](20\d{2}-?\d{2}-?\d{2}|latest)$")
_EDITION = re.compile(r"\s*\(amazon bedrock( edition)?\)$")


def model_key(name: str) -> str:
    """What two names of one model have in common, so that a bill's can meet the ledger's.

    Region, vendor, version and date go; what is left are its words and numbers in order of the
    alphabet, because `Claude 3.5 Sonnet` and `claude-sonnet-3-5` are one.
    """
    # Usage types of AWS write NovaLite.
    text = _CAMEL.sub(" ", name.strip()).lower().rpartition("/")[2]
    text = _EDITION.sub("", text)
    text = _VENDOR.sub("", _REGION.sub("", text))
    text = _DATED.sub("", _VERSION.sub("", text))
    words = re.findall(r"[a-z]+|\d+", text)
    return " ".join(sorted(words))
