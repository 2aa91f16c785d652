"""A model file and what it reads in a picture."""
