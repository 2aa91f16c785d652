"""A dataset as downloaded becomes crops and a manifest. Needs no torch, knows no network.

datasets/    one reader for each dataset, and DATASETS, which names them all
prepare/     pictures -> crops of one kind, without copies of test pictures
dedup/       which pictures are copies of others
audit/       find what is wrong in prepared folders, and clean their manifests
manifest     the table of a prepared folder: one row for each crop
label_file   the classes of a prepared folder: labels.json beside the manifest
folds        divide pictures, for what is held out once each
splits       choose the pictures to hold out
stats        how many pictures there are, beside the paper's Table 3
video_crops  the faces of a video as crops
"""
