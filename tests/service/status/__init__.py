"""Tests of bitpeer.service.status."""
