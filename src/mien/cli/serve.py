"""The command that serves the HTTP interface: serve."""

import webbrowser
from pathlib import Path
from threading import Thread

import click

from mien.cli._numbers import Number
from mien.cli._pictures import MODEL
from mien.cli._shared import DETECTOR, PIXELS, THREADS, echo, needs
from mien.cli._usage import wrong_usage
from mien.cores import cores
from mien.errors import BadSettingError

__all__ = ["serve_command"]

_MIB = 2**20


@click.command(name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 for any that is free.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes."
)
@click.option(
    "--threads",
    type=THREADS,
    default=0,
    help="Pictures that each process reads at once; 0 shares the cores out.",
)
@click.option(
    "--token",
    envvar="MIEN_TOKEN",
    help="Every request must bring it. Better set MIEN_TOKEN: others see a command's options.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    help="Let pages of this origin call, as https://example.org.",
)
@MODEL
@click.option(
    "--queue",
    type=click.IntRange(0),
    default=16,
    show_default=True,
    help="Requests that may wait; more are refused at once.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=32 * _MIB,
    show_default=True,
    help="Of a request.",
)
@click.option(
    "--max-pixels",
    type=PIXELS,
    default=25_000_000,
    show_default=True,
    help="Of a picture.",
)
@click.option(
    "--max-memory",
    type=click.IntRange(1),
    default=176,
    show_default=True,
    help="MiB; refuse pictures that take more to decode.",
)
@click.option(
    "--max-pictures", type=click.IntRange(1), default=64, show_default=True, help="In a request."
)
@click.option(
    "--max-faces", type=click.IntRange(1), default=100, show_default=True, help="In a picture."
)
@click.option(
    "--timeout",
    type=Number(0.1),
    default=30,
    show_default=True,
    help="Seconds for a request to arrive, and for its turn to come.",
)
@click.option(
    "--max-videos",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="That each process reads at once.",
)
@click.option(
    "--max-video-bytes",
    type=click.IntRange(1),
    default=64 * _MIB,
    show_default=True,
    help="Of a video.",
)
@click.option(
    "--max-video-time",
    type=Number(1),
    default=600,
    show_default=True,
    help="Seconds of work on a video.",
)
@click.option(
    "--max-live",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    help="Live connections of each process.",
)
@click.option(
    "--open", "opens", is_flag=True, help="Open the page in the browser, once it is there."
)
@DETECTOR
def serve_command(
    host: str,
    port: int,
    workers: int,
    threads: int,
    token: str | None,
    origins: tuple[str, ...],
    model: Path | None,
    queue: int,
    max_bytes: int,
    max_pixels: int,
    max_memory: int,
    max_pictures: int,
    max_faces: int,
    timeout: float,
    max_videos: int,
    max_video_bytes: int,
    max_video_time: float,
    max_live: int,
    opens: bool,
) -> None:
    """Serve the HTTP interface, and the page in the browser.

    Nothing that is sent is kept or written. Anything but this machine may call only with a token.
    SIGTERM and Ctrl-C end it when what is in work is done. Needs the web extra.

    With --open, the page is there to watch a camera of this machine live.

    Example: mien serve --port 8000 --workers 2
    """
    needs("mien serve", "web", "fastapi", "uvicorn", "websockets", "prometheus_client")
    needs("mien serve", "web", "python_multipart", "fastapi_swagger")
    from mien.serve.server import run_server
    from mien.serve.settings import Settings, refuse_open_door

    with wrong_usage(BadSettingError):
        settings = Settings(
            model=None if model is None else str(model),
            threads=threads or max(1, cores() // workers),
            token=token,
            origins=origins,
            queue=queue,
            max_bytes=max_bytes,
            max_pixels=max_pixels,
            max_memory=max_memory,
            max_pictures=max_pictures,
            max_faces=max_faces,
            timeout_s=timeout,
            max_videos=max_videos,
            max_video_bytes=max_video_bytes,
            max_video_s=max_video_time,
            max_live=max_live,
        )
        refuse_open_door(host, token)

    def say(address: str) -> None:
        echo(f"mien serves at {address}  (addresses and examples: {address}/docs; Ctrl-C ends it)")
        if opens:  # beside: a browser in the terminal ends when its user leaves it
            Thread(target=_open_browser, args=(address,), daemon=True).start()

    run_server(settings, host, port, workers, say)


def _open_browser(address: str) -> None:
    if not webbrowser.open(address):
        echo(f"mien: no browser can be opened from here; open {address} in one", err=True)
