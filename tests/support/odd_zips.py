"""Zip files as no program of ours writes them: odd names, repeated ones, bytes that lie."""

import warnings
import zipfile


def zip_like(path, files, compression=zipfile.ZIP_DEFLATED, system=3):
    """Write a .zip of (name, bytes) pairs, a name as often as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of repeated names
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, data in files:
                entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
                entry.create_system = system
                archive.writestr(entry, data, compression)
    return path


def patched(path, where, offset, data):
    """Overwrite bytes of every record of a kind: PK34 before a file, PK12 in the list."""
    content = bytearray(path.read_bytes())
    place = content.find(where)
    while place >= 0:
        content[place + offset : place + offset + len(data)] = data
        place = content.find(where, place + 4)
    path.write_bytes(content)
    return path
