"""Tests against real nodes, over real sockets on loopback."""
