"""The Bitcoin dialect: its messages, its transactions and blocks, and its networks."""
