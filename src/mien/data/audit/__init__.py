"""Find what is wrong in prepared folders, report it, and clean the manifests.

findings   find copies, leaks, contradictions and blanks
entries    the pictures; framings and altered copies of one picture are one entry
shortcuts  signs that give the label away without the face: file names, datasets, colour
clean      take out of the manifests what the audit found
summary    the findings as text, CSV, JSON and an HTML page
"""
