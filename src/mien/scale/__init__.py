"""Many machines: the only rooms that know Ray."""
