"""Tests of bitpeer.service.status.usage."""

import resource
import sys

from bitpeer.service.status.usage import usage


def test_memory_is_what_the_kernel_says(tmp_path):
    statm = tmp_path / "statm"
    statm.write_text("900 7 3 1 0 2 0\n")
    assert usage(statm)["memory_bytes"] == 7 * resource.getpagesize()
    assert usage(statm)["cpu_seconds"] > 0


def test_where_there_is_no_such_kernel_memory_is_not_known(tmp_path, monkeypatch):
    assert usage(tmp_path / "nowhere")["memory_bytes"] is None
    statm = tmp_path / "statm"
    statm.write_text("900 7 3 1 0 2 0\n")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert usage(statm)["memory_bytes"] is None
