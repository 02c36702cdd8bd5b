"""House rules that no linter knows; `make lint` and `make coverage` run them."""
