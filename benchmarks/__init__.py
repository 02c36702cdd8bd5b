"""How fast bitpeer is, beside what it could at best be and beside what others are.

    make bench        or        python -m benchmarks --help

Everything is said in ratios of two things measured in one run, because seconds belong to
a machine and ratios to a program.  `rows` has one module for each group of targets,
`rivals` what they are compared with, `actors` what runs in processes of its own.
"""
