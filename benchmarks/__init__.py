"""Benchmarks of mien; timing.py lists them. Run from the root: python -m benchmarks.NAME"""
