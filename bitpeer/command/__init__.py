"""The program `twistd bitpeer`: what its operator may say, and what becomes of it."""
