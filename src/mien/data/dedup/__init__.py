"""Which pictures are copies of others.

duplicates  find the pairs, in one set or between two
candidates  nearest neighbours by signature: which pairs are worth a closer look
similarity  how alike two pictures are where and at what size they fit best: the proof
"""
