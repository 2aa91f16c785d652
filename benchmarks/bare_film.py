"""A film is decoded and encoded again by PyAV alone, its sound copied: what FFmpeg itself needs.

Started by `benchmarks.bench_video`: python -m benchmarks.bare_film IN OUT
"""

import sys

import av

__all__: list[str] = []


def main() -> None:
    source, target = sys.argv[1:]
    with av.open(source) as read, av.open(target, "w", options={"movflags": "faststart"}) as made:
        pictures, sound = read.streams.video[0], read.streams.audio[0]
        film = made.add_stream(
            "libx264", rate=pictures.average_rate, options={"preset": "ultrafast"}
        )
        film.width, film.height, film.pix_fmt = pictures.width, pictures.height, "yuv420p"
        track = made.add_stream_from_template(sound)
        for packet in read.demux([pictures, sound]):
            if packet.stream is sound and packet.dts is not None:
                packet.stream = track
                made.mux(packet)
            elif packet.stream is pictures:
                for frame in packet.decode():
                    made.mux(film.encode(frame))
        made.mux(film.encode(None))


if __name__ == "__main__":
    main()
