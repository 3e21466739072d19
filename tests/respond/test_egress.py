"""Nothing a person types as an URL makes Vagus talk to a place it should not."""

from __future__ import annotations

import functools
import ipaddress
import shutil
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import BadInput, ConfigError, Unavailable
from vagus.respond.address import check_addresses, check_url, is_blocked
from vagus.respond.egress import Answer, Egress, resolve_host, retry_after_ms

# Each must be refused without one byte sent; names are resolved by the system's own resolver.
_BYPASSES = [
    # loopback, in every spelling
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://0X7F.0.0.1/",
    "http://127.0.0.0x1/",
    "http://00000000127.0.0.1/",
    "http://127.000.000.001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.0.0.0:4318/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost:4318/",
    # private, link-local, shared, reserved
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://169.254.1.1/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # clouds' metadata
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:169.254.169.254]/",
    # IPv6
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::10.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:0:0:0:0:0:1]/",
    "http://[2001:db8::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1%25lo]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    "http://[::1",
    "http://::1/",
    # two parsers, two opinions
    "http://user@127.0.0.1/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "//127.0.0.1/",
    "http://example.com#fragment",
    "http://exa mple.com/",
    " http://example.com/",
    "http://example.com/ ",
    "http://example.com/\r\nX-Injected: yes",
    "http://example.com\r\nHost: 127.0.0.1/",
    "http://example.com/%0d%0a\n",
    "http://example.com\t/",
    "http://example.com\x00.evil.example/",
    "http://127.0.0.1%2f@example.com/",
    "http://127.0.0.1%00.example.com/",
    # characters that become dots, digits or letters somewhere else
    "http://127\u30020\u30020\u30021/",
    "http://127\uff0e0\uff0e0\uff0e1/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://loc\u00adalhost/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "http://localho\u017ft/",
    # schemes and ports
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_SLAVEOF",
    "ftp://example.com/",
    "dict://127.0.0.1:11211/",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "data:text/plain,x",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:99999999999/",
    "https://example.com:-1/",
    "https://example.com:8o80/",
    "https://-example.com/",
    "https://example..com/",
    "https://.example.com/",
    "https://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 3000,
    "",
]


def _post(egress: Egress, url: str) -> Answer:
    return anyio.run(functools.partial(egress.post, url, b"{}", {"content-type": "text/plain"}))


def _resolves_to(
    *answers: list[str],
) -> tuple[Callable[[str, int], Awaitable[list[str]]], list[str]]:
    """A resolver that gives another answer each time, and the names it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


def test_there_are_at_least_sixty_bypass_forms() -> None:
    assert len(set(_BYPASSES)) >= 60


@pytest.mark.parametrize("url", _BYPASSES)
def test_bypass_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        _post(Egress(resolve=resolve_host, timeout_s=5), url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("http://EXAMPLE.com:8080/a/b?c=d&e=%20", "example.com", 8080, "/a/b?c=d&e=%20"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
        ("https://[2606:4700::1111]:8443/x@y", "2606:4700::1111", 8443, "/x@y"),
        ("https://my_service.example", "my_service.example", 443, "/"),
    ],
)
def test_ordinary_url_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    destination = check_url(url)

    assert (destination.host, destination.port, destination.path) == (host, port, path)


@given(st.text(max_size=60))
def test_any_text_is_an_url_or_bad_input(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/", f"https://example.com{text}"):
        try:
            destination = check_url(url)
        except BadInput:
            continue
        assert destination.host.isascii()
        assert not set(destination.host + destination.path) & set(" \r\n\t\\@#") - set("@")


@given(st.ip_addresses())
def test_address_that_is_let_through_is_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not is_blocked(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_ipv4_address_inside_ipv6_is_never_let_through(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(0x64FF9B << 96 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80),
    ]

    assert all(is_blocked(address) for address in wrapped)


def test_one_private_address_spoils_the_name() -> None:
    with pytest.raises(BadInput, match="private"):
        check_addresses(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(BadInput, match="no address"):
        check_addresses([])


def test_allowed_range_opens_that_range_alone_and_never_metadata() -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("169.254.0.0/16")]

    check_addresses(["10.1.2.3"], allowed)
    for address in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "169.254.169.254"):
        with pytest.raises(BadInput):
            check_addresses([address], allowed)


def test_allowed_range_must_be_a_range() -> None:
    with pytest.raises(ConfigError, match=r"10\.1\.0\.0/16"):
        Egress(allow_private=["10.1.2.3/8"])


def test_checked_address_is_the_one_connected_to(make_receiver: Any) -> None:
    receiver = make_receiver()
    resolve, asked = _resolves_to(["127.0.0.1"], ["10.0.0.1"])
    egress = Egress(allow_private=["127.0.0.0/8"], resolve=resolve)

    answer = _post(egress, f"http://hooks.example.com:{receiver.port}/hook?x=1")

    assert answer.status == 200
    assert asked == ["hooks.example.com"]
    assert receiver.requests[0]["path"] == "/hook?x=1"
    assert receiver.requests[0]["headers"]["host"] == f"hooks.example.com:{receiver.port}"


def test_name_that_turns_private_between_save_and_use_is_refused(make_receiver: Any) -> None:
    receiver = make_receiver()
    resolve, asked = _resolves_to(["93.184.216.34"], ["127.0.0.1"])
    check_addresses(anyio.run(resolve, "rebind.example.com", 80))

    with pytest.raises(BadInput):
        _post(Egress(resolve=resolve), f"http://rebind.example.com:{receiver.port}/")
    assert len(asked) == 2
    assert receiver.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(make_receiver: Any, status: int) -> None:
    lure, secret = make_receiver(), make_receiver()
    lure.answer = lambda: (status, {"location": secret.url})

    assert _post(Egress(allow_private=["127.0.0.1/32"]), lure.url).status == status
    assert secret.requests == []


def test_proxy_of_the_environment_is_not_used(
    make_receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = make_receiver()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert _post(Egress(allow_private=["127.0.0.1/32"]), receiver.url).status == 200


def test_answer_that_does_not_come_is_unavailable(make_receiver: Any) -> None:
    receiver = make_receiver()
    release = threading.Event()
    receiver.answer = lambda: (200 if release.wait(5) else 500, {})

    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        _post(Egress(allow_private=["127.0.0.1/32"], timeout_s=0.2), receiver.url)
    release.set()


def test_closed_port_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="ConnectError"):
        _post(Egress(allow_private=["127.0.0.1/32"]), "http://127.0.0.1:1099/")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120_000),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("\u0661", 0),
        ("9" * 50, 0),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120_000),
        ("Mon, 13 Nov 2023 22:15:20 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, expected: int) -> None:
    assert retry_after_ms(header, 1_700_000_000_000) == expected


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate with its key, for `hooks.example.com` alone."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here; the certificate test needs it")
    path = tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test"
    names = ["-addext", "subjectAltName=DNS:hooks.example.com"]
    command = ["openssl", *words.split(), *names, "-keyout", str(path), "-out", str(path) + ".crt"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.mark.parametrize(
    ("host", "is_served"), [("hooks.example.com", True), ("other.example.com", False)]
)
def test_certificate_is_checked_against_the_name_and_not_the_address(
    make_receiver: Any, certificate: Path, host: str, is_served: bool
) -> None:
    receiver = make_receiver(certificate)
    resolve, _ = _resolves_to(["127.0.0.1"])
    tls = ssl.create_default_context(cafile=str(certificate))
    egress = Egress(allow_private=["127.0.0.1/32"], resolve=resolve, tls=tls)
    url = f"https://{host}:{receiver.port}/"

    if is_served:
        assert _post(egress, url).status == 200
    else:
        with pytest.raises(Unavailable, match="ConnectError"):
            _post(egress, url)
    assert len(receiver.requests) == int(is_served)
