"""Many pictures, many cores, many machines. Nothing else knows Ray.

stream   files are read side by side, in order; what a journal knows is not read again
readers  what a worker does with photographs and with crops
tune     the search of `mien.train.search` on Ray Tune
"""
