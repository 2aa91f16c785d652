"""Examples in modules that need an extra are tested where it is installed."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("ray") else ["src/mien/scale/*.py"]
