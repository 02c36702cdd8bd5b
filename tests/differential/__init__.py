"""Our codec held against those of independent libraries, on random messages."""
