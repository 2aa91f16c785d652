"""Many machines. Nothing else knows Ray.

tune  the search of `mien.train.search` on Ray Tune
"""
