"""The package list; everything else about the distribution is in pyproject.toml."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["bitpeer", "bitpeer.*"]), "twisted.plugins"])
