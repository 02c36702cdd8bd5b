"""Bytes to values and back; knows no chain, clock or socket."""
