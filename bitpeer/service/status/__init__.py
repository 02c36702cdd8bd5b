"""A page, JSON and metrics: for people and programs that want to see how the node is doing."""
