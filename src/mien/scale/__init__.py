"""Many pictures, many cores, many machines. Nothing else knows Ray.

stream      files are read side by side, in order; what a journal knows is not read again
readers     what a worker does with photographs and with crops
places      a folder on a disk or in an object store
run_folder  the folder of a run on a cluster: its list, its parts, the whole table
cluster     connect to Ray, or start it here
distribute  pictures read on a cluster, with Ray Data
tune        the search of `mien.train.search` on Ray Tune
"""
