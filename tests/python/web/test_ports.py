import socket

import pytest

from vouch.web.ports import free_port


def test_a_server_can_listen_at_it() -> None:
    port = free_port()

    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port


def test_nobody_listens_at_it() -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", free_port())):
        pass


def test_the_system_holds_it_back() -> None:
    """A plainly free port could be bound like this, and so be given to whoever asks for any."""
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", free_port()))
