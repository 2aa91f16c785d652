"""Results become pictures, plots and pages. Knows no network, but lists of layers.

fonts              Pillow's font, or one of the system that has the letters
writing            in which of nine languages, and in which font
style              colours, letters, shapes and masks
heatmap            a map laid over a face
placement          what a plan is: where frame, label and panel of a face go, and what places are
layout             the plan of a picture
video_layout       the plan of a video, steady from frame to frame
panel              the bars beside a face
renderer           draws what was read where a plan says
annotate           a picture, a folder of pictures or the frames of a video, annotated
page               pictures and words at their places, written as pixels or as SVG
picture_grid       figures and contact sheets: rows of small pictures with words; PNG, PDF, SVG
film_rows          the rows of a film's table, by frame or second, and its summary
timeline           the faces of a video over time
timeline_plot      the plot of a timeline (matplotlib)
plot_files         a figure of matplotlib as a file; the formats
plots              training, confusion, calibration, effects, faithfulness
architecture_plot  the layers of a network as solids (matplotlib)
html               pages
tables             rows as text or Markdown
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.show import annotate as annotate
    from mien.show import timeline as timeline
    from mien.show import timeline_plot as timeline_plot
    from mien.show import writing as writing

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "annotate": "mien.show.annotate",
        "timeline": "mien.show.timeline",
        "timeline_plot": "mien.show.timeline_plot",
        "writing": "mien.show.writing",
    },
)
