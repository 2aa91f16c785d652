"""Films come in: frames one at a time, with the moment each is shown. Knows nothing of faces."""
