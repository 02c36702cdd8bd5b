"""One conversation with one peer: bytes in, bytes and events out, time passed in.

Nothing here does I/O, reads a clock, draws a random number or logs.
"""
