"""Moltrail's domain and its store: molecules, programmes, the state graph, and every write that is ever made."""

__version__ = "0.1.0"
