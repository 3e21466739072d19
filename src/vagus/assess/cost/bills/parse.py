"""Bytes of an export to its lines: which provider's it is, and in which form."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet

from vagus.assess.cost.bills import anthropic, aws, openai
from vagus.assess.cost.bills.line import Export
from vagus.errors import BadInput, TooLarge

#: An export may be so large once it is unpacked, and a Parquet file may have so many rows.
MAX_BYTES = 256 * 1024**2
MAX_ROWS = 2_000_000
PROVIDERS = ("openai", "anthropic", "aws")
_MOST_COLUMN = 100_000
_BATCH = 8192


def parse_export(body: bytes, provider: str = "") -> Export:
    """The export that some bytes are; raises `BadInput` when they are none that is known.

    JSON (pages of an API, a list of them, or one a line), CSV, both also gzipped, or Parquet.
    """
    if body[:4] == b"PAR1":
        export = _read_parquet(body)
    else:
        data = _inflated(body) if body[:2] == b"\x1f\x8b" else body
        start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        export = _read_json(data) if start in (b"{", b"[") else _read_csv(data)
    if provider and not export.provider.startswith(provider):
        raise BadInput(
            f"this is an export of {export.provider}, not of {provider}", field="provider"
        )
    return export


def _inflated(body: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        data = inflate.decompress(body, MAX_BYTES)
    except zlib.error as e:
        raise BadInput(f"the gzip data is broken: {e}", field="body") from e
    if inflate.unconsumed_tail:
        raise TooLarge("the export is too large unpacked", field="body", limit=f"{MAX_BYTES}")
    if not inflate.eof:
        raise BadInput("the gzip data ends too early", field="body")
    return data


def _read_json(data: bytes) -> Export:
    pages = _pages(data)
    if pages and all(map(openai.is_page, pages)):
        return openai.read_pages(pages)
    if pages and all(map(anthropic.is_page, pages)):
        return anthropic.read_pages(pages)
    raise BadInput(
        "this JSON is no page of OpenAI's costs or usage, nor of Anthropic's reports", field="body"
    )


def _pages(data: bytes) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError:
        try:
            found = [msgspec.json.decode(line) for line in data.splitlines() if line.strip()]
        except msgspec.DecodeError as e:
            raise BadInput(f"the JSON cannot be read: {e}", field="body") from e
    except RecursionError as e:
        raise BadInput("the JSON nests too deep", field="body") from e
    listed = found if isinstance(found, list) else [found]
    return [page for page in listed if isinstance(page, dict)]


def _read_csv(data: bytes) -> Export:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise BadInput("the file is neither JSON, CSV in UTF-8, nor Parquet", field="body") from e
    header, *_ = text.split("\n", 1)
    delimiter = "\t" if "\t" in header else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [str(name) for name in rows.fieldnames or ()]
        if openai.is_header(columns):
            return openai.read_rows(rows)
        if anthropic.is_header(columns):
            return anthropic.read_rows(rows)
        if aws.is_header(columns):
            return aws.read_rows(rows, "csv")
    except csv.Error as e:
        raise BadInput(f"the CSV cannot be read: {e}", field="body") from e
    raise BadInput(f"no known export has these columns: {', '.join(columns)[:200]}", field="body")


def _read_parquet(body: bytes) -> Export:
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(body))
        names = file.schema_arrow.names
        if len(names) > _MOST_COLUMN or not aws.is_header(names):
            raise BadInput("this Parquet file is no cost and usage report", field="body")
        groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
        if file.metadata.num_rows > MAX_ROWS:
            raise TooLarge("the report has too many rows", field="body", limit=f"{MAX_ROWS}")
        if sum(group.total_byte_size for group in groups) > MAX_BYTES:
            raise TooLarge("the report is too large unpacked", field="body", limit=f"{MAX_BYTES}")
        known = {*aws.COLUMNS, *aws.COLUMNS.values()}
        return aws.read_rows(_rows(file, [name for name in names if name in known]), "parquet")
    except (pyarrow.ArrowException, OSError) as e:
        raise BadInput(f"the Parquet file cannot be read: {str(e)[:200]}", field="body") from e


def _rows(file: Any, columns: list[str]) -> Iterator[Mapping[str, object]]:
    for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
        yield from batch.to_pylist()
