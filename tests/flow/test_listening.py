"""Answers leave at once: the kernel does not hold the second half of one back."""

from __future__ import annotations

import socket

from vagus.app import _listen
from vagus.config import ServerSettings


def test_the_listening_socket_says_that_it_is_tcp():
    with _listen(ServerSettings(port=0)) as sock:
        assert sock.proto == socket.IPPROTO_TCP
