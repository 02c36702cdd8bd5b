"""Bitcoin-family peers for Twisted."""
