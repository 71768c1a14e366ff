"""A TCP port for a server that starts a little later."""

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port at which nobody listens, and which the system gives to nobody who asks for any port.

    A port that was merely found free may be an outgoing connection's a moment later. This one keeps a closed
    connection in TIME_WAIT (RFC 9293, 3.6.1: a minute on Linux), over which only a server that names the port
    and sets SO_REUSEADDR may bind; asyncio and Node.js do.

    Errors: OSError if no port is free.
    """
    with socket.create_server((host, 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            # The end that closes first is the one that waits.
            accepted.close()
            client.recv(1)
        return int(server.getsockname()[1])
