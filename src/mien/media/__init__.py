"""Pictures and videos come in, files go out. Knows nothing of faces.

images        open a picture safely: the one place where a picture file is opened
costs         what a picture costs: bytes, pixels, memory; what costs too much is refused
heif          HEIC pictures, by an extra
inputs        whatever holds a picture (path, bytes, open file, Pillow image, array) -> RGB
quiet         warnings switched off while a library reads a file, for any number of threads
files         open an ordinary file of bounded size, and nothing else
folders       find the pictures under a folder, and say what is left out
decoder       open a video with PyAV, and say in one message what is wrong with it
pipe          standard input as a video, kept in a file where its end must be read first
timestamps    wrong time stamps become times that go forward
frame         Frame: the pixels of one frame, upright and square
video_source  VideoSource: what shows frames one after another
video_reader  the frames of a video file, one at a time, with mended time stamps
animation     an animated WebP as a video
live_stream   a network camera, opened again when it breaks off
sources       what `mien video IN` may name: a file, standard input, pictures, a camera, an address
progress      the type of what shows how far a loop is
threads       prefetch and write-behind, so that stages overlap
parallel      share tasks between threads or processes
journal       what a run has read so far, so that it can go on after it was killed
csv_lines     rows as lines of CSV: a line end in a cell is quoted
writers       text, CSV, JSON lines, pictures; OUTPUTS
data_frames   name, type, unit and meaning of columns; tables as pandas or polars
parquet       Parquet files, by an extra
table_files   a table that people analyse, as CSV or Parquet
video_writer  H.264 video with the times and the sound of its source
atomic        files and folders that are whole or absent; what a disk refuses is one error
parts         what is being written, and what killed runs left
escapes       names that a terminal or a spreadsheet would obey, made harmless
standard_output  the file called -
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.media.folders import PictureFiles as PictureFiles
    from mien.media.folders import find_pictures as find_pictures
    from mien.media.folders import search_pictures as search_pictures
    from mien.media.images import read_rgb as read_rgb

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "PictureFiles": "mien.media.folders",
        "find_pictures": "mien.media.folders",
        "read_rgb": "mien.media.images",
        "search_pictures": "mien.media.folders",
    },
)
