"""The pictures of a dataset become crops of one kind, without copies of held-out pictures.

pipeline    list the pictures, cut them, find leaks, write the tables
crops       cut a picture
crop_store  write crops and keep their rows
leaks       find training pictures that are copies of held-out ones
record      settings and report of a run: prepare.json
contents    what a folder was made from, to notice a source that has changed
"""
