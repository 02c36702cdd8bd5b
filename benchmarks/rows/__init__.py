"""The targets, a module for each group: every `measure` yields what it finds."""
