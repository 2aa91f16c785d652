"""One loop for every network: settings, the loop itself, checkpoints."""
