"""The lists of packages and modules, compiled ones too; everything else is in pyproject.toml."""

from setuptools import Extension, find_packages, setup

setup(
    packages=[*find_packages(include=["bitpeer", "bitpeer.*"]), "twisted.plugins"],
    py_modules=["pytest_bitpeer"],
    # Optional: without a compiler the installation goes on, and slow Python takes its place.
    ext_modules=[
        Extension(
            "bitpeer.hashes._blake256",
            ["bitpeer/hashes/_blake256.c"],
            optional=True,
        )
    ],
)
