from __future__ import annotations

import gzip
import random
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import BadInput, TooLarge, Unsupported
from vagus.receive.inflate import inflate, zstd

MIB = 1024 * 1024
NOISE = random.Random(3).randbytes(300_000)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _refusal(data: bytes, encoding: str) -> str:
    try:
        inflate(data, encoding, MIB)
    except BadInput as e:
        return str(e)
    return f"{encoding} was sound"


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}


@given(st.binary(), st.sampled_from([*PACKERS.items(), ("deflate", _raw_deflate)]))
def test_what_was_packed_comes_back(data: bytes, packer) -> None:
    encoding, pack = packer

    assert inflate(pack(data), encoding, MIB) == data


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_members_and_frames_one_after_the_other_are_one_body(parts: list[bytes]) -> None:
    whole = b"".join(parts)

    assert inflate(b"".join(map(gzip.compress, parts)), "gzip", MIB) == whole
    assert inflate(b"".join(map(zstd.compress, parts)), "zstd", MIB) == whole


def test_a_streamed_zstd_frame_without_its_size_comes_back() -> None:
    packer = zstd.ZstdCompressor()
    packed = b"".join(packer.compress(NOISE[at : at + 999]) for at in range(0, len(NOISE), 999))

    assert inflate(packed + packer.flush(), "zstd", MIB) == NOISE


def test_padding_of_zeros_behind_gzip_is_not_an_error() -> None:
    assert inflate(gzip.compress(b"x") + bytes(100), "gzip", MIB) == b"x"


@pytest.mark.parametrize("encoding", ["", "identity", "IDENTITY"])
def test_identity_is_the_body_itself(encoding: str) -> None:
    assert inflate(b"x" * 10, encoding, 10) == b"x" * 10
    with pytest.raises(TooLarge, match="10 bytes"):
        inflate(b"x" * 11, encoding, 10)


@pytest.mark.parametrize("encoding", PACKERS)
def test_the_limit_is_exact(encoding: str) -> None:
    packed = PACKERS[encoding](NOISE)

    assert inflate(packed, encoding, len(NOISE)) == NOISE
    with pytest.raises(TooLarge, match=r"receive\.max_body_bytes"):
        inflate(packed, encoding, len(NOISE) - 1)


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("cut", [1, 7, 100_000])
def test_a_cut_body_is_refused_and_says_where_it_ends(encoding: str, cut: int) -> None:
    packed = PACKERS[encoding](NOISE)[:-cut]

    with pytest.raises(BadInput, match=f"cut off: it ends after {len(packed)} bytes"):
        inflate(packed, encoding, MIB)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_corrupt_body_is_refused_and_says_where(encoding: str) -> None:
    packed = bytearray(PACKERS[encoding](NOISE))
    packed[:12] = b"not packed !"

    with pytest.raises(BadInput, match=f"{encoding} body is corrupt between byte 0 and byte 16384"):
        inflate(bytes(packed), encoding, MIB)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "zstd"]))
def test_noise_is_refused_or_read_but_never_worse(data: bytes, encoding: str) -> None:
    assert encoding in _refusal(data, encoding)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(Unsupported, match=r"'br' is not supported; use identity, gzip"):
        inflate(b"x", "br", MIB)


def test_two_encodings_on_top_of_each_other_are_not_supported() -> None:
    with pytest.raises(Unsupported, match="gzip, gzip"):
        inflate(gzip.compress(gzip.compress(b"x")), "gzip, gzip", MIB)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_of_a_gigabyte_is_refused_fast_and_within_its_limit(encoding: str) -> None:
    zeros = bytes(MIB)
    if encoding == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
    else:
        squeezer = zstd.ZstdCompressor()
        bomb = b"".join(squeezer.compress(zeros) for _ in range(1024)) + squeezer.flush()
    tracemalloc.start()
    started = time.perf_counter()

    with pytest.raises(TooLarge):
        inflate(bomb, encoding, 32 * MIB)

    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] <= 64 * MIB
    tracemalloc.stop()


def test_a_body_of_countless_empty_members_is_refused() -> None:
    with pytest.raises(BadInput, match="more than 4096 members"):
        inflate(gzip.compress(b"") * 5000, "gzip", MIB)


def test_a_zstd_window_larger_than_allowed_is_refused() -> None:
    options = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(b"x" * 10) + packer.flush()

    with pytest.raises(BadInput, match="zstd body is corrupt"):
        inflate(packed, "zstd", MIB)
