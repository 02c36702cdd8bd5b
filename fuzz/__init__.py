"""Fuzz targets: whatever comes from outside, thrown at what reads it; see README.md."""
