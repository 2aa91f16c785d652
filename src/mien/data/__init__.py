"""A database as downloaded becomes crops and a manifest. Needs no torch, knows no network.

datasets/    one reader for each database, and DATASETS, which names them all
prepare/     pictures -> crops of one kind, without copies of test pictures
dedup/       which pictures are copies of others
audit/       what is wrong in prepared folders, and how to put it right
manifest     the table of a prepared folder: one row for each crop
splits       what is held out, and how it is drawn
stats        how many pictures there are, beside the paper's Table 3
video_crops  the faces of a video as crops
parallel     work shared between processes
"""
