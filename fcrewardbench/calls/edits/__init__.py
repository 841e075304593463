"""Edits that turn right calls into near misses. One family makes benchmarks, another trains."""
