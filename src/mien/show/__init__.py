"""What was found, made visible: drawn on pictures and written to files."""
