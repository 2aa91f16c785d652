"""The page that reads faces in the browser: its files, its networks, and the same as one file.

Pipeline: model file and its card checked -> card.json, all that the page must know of the model ->
page, networks and onnxruntime for browsers, by name. Everything is in what is returned: the page
fetches nothing from elsewhere, and a browser that obeys `POLICY` would not let it. Knows nothing of
servers.
"""

import base64
import gzip
import hashlib
import html
import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from mien import __version__
from mien.errors import BadModelError
from mien.faces.detect import ONET, YUNET, Detector, locate
from mien.faces.regions import REGIONS, TEMPLATE, divide
from mien.labels import UNCERTAIN, Rule
from mien.media.images import PORTRAIT
from mien.pixels import MEAN, SIDE, STD
from mien.recognize.model import Model
from mien.recognize.results import picture_header, video_header
from mien.recognize.video import USUAL_S
from mien.serve.onnx_dims import with_free_sides
from mien.show.heatmap import colours
from mien.show.style import colours_of
from mien.words import LANGUAGES, called

__all__ = ["CARD_FILE", "POLICY", "page_as_one_file", "page_files"]

# Content-Security-Policy: only files from where the page is from, no inline script. A server sends
# it as a header; the page has it in its head as well. wasm-unsafe-eval is WebAssembly, not eval.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
CARD_FILE = "card.json"
_PAGE = Path(__file__).parent / "page"
_LOADER = _PAGE / "start.js"  # of the page that is one file
_SUFFIXES = {".html", ".css", ".js", ".mjs", ".svg", ".gz"}  # of the page; the rest explains
_RUNTIME = "vendor/ort-wasm-simd-threaded.wasm.gz"
_PRELOADS = re.compile(r'<link rel="modulepreload" href="[^"]+">\n')
_POLICY_META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def page_files(model: str | Path = "miennet") -> dict[str, bytes]:
    """Return every file of the page, which needs no server of ours.

    Args:
        model: an .onnx file made by ``mien export``, or the name of a model in the package.

    Returns:
        Content by name, with ``/`` between folders; ``index.html`` is the page. About 10 MB.

    Raises:
        BadModelError: if the model, or a network of the face detector, is missing, not ours,
            damaged, or cannot be run.

    Example:
        >>> files = page_files()
        >>> "index.html" in files, "card.json" in files
        (True, True)
    """
    loaded = Model(model, threads=1)  # its gate: seal, card, two crops on trial
    files = {
        path.relative_to(_PAGE).as_posix(): path.read_bytes()
        for path in sorted(_PAGE.rglob("*"))
        if path.suffix in _SUFFIXES and path != _LOADER
    }
    files[PORTRAIT.name] = PORTRAIT.read_bytes()
    networks = {
        "wasm": (_RUNTIME, files[_RUNTIME]),
        "yunet": ("networks/yunet.onnx", with_free_sides(locate(YUNET).read_bytes())),
        "onet": ("networks/onet.onnx", locate(ONET).read_bytes()),
        "model": ("networks/model.onnx", _unchanged(loaded)),
    }
    files |= dict(networks.values())
    card = _card(loaded) | {
        "files": {key: {"name": n, "bytes": len(data)} for key, (n, data) in networks.items()},
        "portrait": PORTRAIT.name,
    }
    files[CARD_FILE] = json.dumps(card, separators=(",", ":")).encode()
    return files


def _unchanged(model: Model) -> bytes:
    """The bytes of the file, if they are still those whose card was checked."""
    data = model.path.read_bytes()
    if model.card["sha256"].encode() not in data:
        raise BadModelError(f"{model.path} changed while it was read", fix="run it again")
    return data


def _card(model: Model) -> dict[str, Any]:
    """All that the page must know of the model and of what is done around it."""
    card, labels = model.card, model.labels
    found = colours_of(labels).items()
    usual = {"side": SIDE, "mean": MEAN.tolist(), "std": STD.tolist()}
    rule = Rule(certain_from=float(card.get("uncertain", {}).get("below", 0)))
    detector = inspect.signature(Detector).parameters  # its usual settings
    ramp = colours(np.linspace(0, 1, 256, dtype=np.float32)).astype(int)
    return {
        "name": card.get("name", model.path.stem),
        "mien": __version__,
        "sha256": card["sha256"],
        "licence": card.get("licence", ""),
        "labels": card["labels"],
        # beside the labels with a probability of its own, or one of them; "" where neither is
        "neutral": labels.calm if labels.calm_beside else "",
        "calm": "" if labels.calm_beside else labels.calm,
        "uncertain": UNCERTAIN,
        "temperature": float(card["temperature"]),
        "input": usual | card.get("input", {}),
        "rule": {"neutral_above": rule.neutral_above, "certain_from": rule.certain_from},
        "framing": {"template": TEMPLATE.tolist(), "side": SIDE},
        "detector": {key: detector[key].default for key in ("confidence", "long_side")},
        "smooth_s": USUAL_S,
        "regions": {"names": list(REGIONS), "template": divide().ravel().tolist()},
        "words": {name: _in_all_languages(name) for name in (*labels.targets, UNCERTAIN)},
        "colours": {name: "#{:02x}{:02x}{:02x}".format(*rgb) for name, rgb in found},
        "heat": ramp.tolist(),
        "picture_header": list(picture_header(labels)),
        "video_header": list(video_header(labels)),
    }


def _in_all_languages(label: str) -> dict[str, str]:
    """What an expression is called in each language; nothing of a class of one's own."""
    names = {language: called(label, language) for language in LANGUAGES}
    return names if {*names.values()} != {label} else {}


def page_as_one_file(model: str | Path = "miennet") -> bytes:
    """Return the page as one HTML file that works when it is opened from a disk.

    Its modules, networks and pictures are inside; its policy forbids every request to a network.

    Args:
        model: as `page_files` takes it.

    Returns:
        HTML in UTF-8, about 13 MB.

    Raises:
        BadModelError: as `page_files`.
    """
    files = page_files(model)
    page = _PRELOADS.sub("", files.pop("index.html").decode())
    style = files.pop("style.css").decode()
    icon, start = files.pop("icon.svg"), _LOADER.read_text(encoding="utf-8")
    inside = [_as_script(name, data) for name, data in files.items()]
    inside.append(f'<script type="module">{_inside(start)}</script>')
    changes = {
        '<link rel="stylesheet" href="style.css">': f"<style>{style}</style>",
        'href="icon.svg"': f'href="data:image/svg+xml;base64,{base64.b64encode(icon).decode()}"',
        '<script type="module" src="app.js"></script>': "\n".join(inside),
        _POLICY_META.findall(page)[0]: _meta(_one_file_policy(start, style)),
    }
    for old, new in changes.items():
        page = _replaced(page, old, new)
    return page.encode()


def _replaced(page: str, old: str, new: str) -> str:
    if page.count(old) != 1:
        raise ValueError(f"index.html has {old!r} {page.count(old)} times, expected once")
    return page.replace(old, new)


def _as_script(name: str, data: bytes) -> str:
    """A file inside the page, which start.js finds: a module as it is, all else in base64."""
    if name.endswith((".js", ".mjs")):
        return f'<script type="text/plain" data-module="{name}">{_inside(data.decode())}</script>'
    smaller = gzip.compress(data, mtime=0) if name.endswith(".onnx") else data
    text = base64.b64encode(smaller).decode()
    return f'<script type="text/plain" data-file="{name}">{text}</script>'


def _inside(script: str) -> str:
    """The text of a script, where nothing may end the element around it."""
    if "</script" in script.lower():
        raise ValueError("a module of the page holds </script")
    return script


def _one_file_policy(script: str, style: str) -> str:
    """Only what is in the file: blob: is its own modules and pictures."""
    return (
        f"default-src 'none'; script-src {_source(script)} blob: 'wasm-unsafe-eval'; "
        f"worker-src blob:; style-src {_source(style)}; img-src data: blob:; media-src blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    """An inline script or style, as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _meta(policy: str) -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'
