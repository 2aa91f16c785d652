"""The networks, written from scratch in torch."""
