"""Find pictures that are copies of others.

duplicates  find the pairs, in one set or between two
persons     how similar a pair must be, where a database names its people
candidates  nearest neighbours by signature: the pairs that are worth a closer comparison
similarity  the closer comparison: how similar two pictures are where they fit best
"""
