"""What mien is measured with; timing.py lists it. Run from the root: python -m benchmarks.NAME."""
