"""Receivers without a reactor, as scripts that use those libraries are written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from io import BufferedReader
from selectors import EVENT_READ, DefaultSelector
from socket import create_server, socket
from time import process_time
from typing import Any

from benchmarks.actors import say
from benchmarks.data import MAGIC
from benchmarks.stage import greeting

Receive = Callable[[BufferedReader, socket], int]
"""Reads messages from a stream and answers into a socket, until the stream ends; returns how
many it read."""


def _play(receive: Receive) -> None:
    """Serve one connection after the other until nobody watches any more."""
    server = create_server(("127.0.0.1", 0))
    say(port=server.getsockname()[1])
    with DefaultSelector() as selector:
        selector.register(server, EVENT_READ)
        selector.register(sys.stdin, EVENT_READ)
        while all(key.fileobj is server for key, _ in selector.select()):
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                began = process_time()
                connection.sendall(greeting())
                count = receive(stream, connection)
                say(count=count - 2, seconds=process_time() - began)  # version and verack apart


def bitcoinlib() -> None:
    """Play a peer made with python-bitcoinlib."""
    bitcoin: Any = import_module("bitcoin")
    messages: Any = import_module("bitcoin.messages")
    end_of_stream = import_module("bitcoin.core.serialize").SerializationTruncationError
    bitcoin.SelectParams("regtest")

    def receive(stream: BufferedReader, connection: socket) -> int:
        count = 0
        while True:
            try:
                message = messages.MsgSerializable.stream_deserialize(stream)
            except end_of_stream:
                return count
            count += 1
            if isinstance(message, messages.msg_ping):
                pong = messages.msg_pong()
                pong.nonce = message.nonce
                connection.sendall(pong.to_bytes())

    _play(receive)


def btclib() -> None:
    """Play a peer made with btclib."""
    p2p: Any = import_module("btclib.p2p")
    kinds = {"ping": p2p.Ping, "inv": p2p.Inv, "tx": p2p.TxPayload, "block": p2p.BlockPayload}

    def receive(stream: BufferedReader, connection: socket) -> int:
        count = 0
        while head := stream.read(24):
            message = p2p.Message.parse(head + stream.read(int.from_bytes(head[16:20], "little")))
            count += 1
            if message.command in kinds:
                payload = kinds[message.command].parse(message.payload, check_validity=False)
                if message.command == "ping":
                    pong = p2p.Pong(payload.nonce).serialize()
                    connection.sendall(p2p.Message(MAGIC, "pong", pong).serialize())
        return count

    _play(receive)
