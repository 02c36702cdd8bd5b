"""The messages that two networks or more spell the same way."""
