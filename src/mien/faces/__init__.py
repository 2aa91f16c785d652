"""Where the faces are, and each of them upright in one frame."""
