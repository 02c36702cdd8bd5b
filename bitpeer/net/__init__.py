"""Peers on Twisted: protocol, factory, listeners, dialling."""
