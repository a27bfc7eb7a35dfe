"""Encoders to compare with, of the Mega paper's own tables, each from its paper. They are for the twin alone: Net knows
them by kind once this package is imported, and no model file can hold them.

Each replaces the mixing over time only, as a layer x [B, T, D] -> [B, T, D]; the feed-forward layer between is the same
Nffn for all. Beside forward, a layer tells what it costs: `mixing(t)` multiply-adds a network frame without those of its
Linear layers, `state(t)` numbers kept from frame to frame, None if it needs the whole clip; t network frames are heard.

A file here is all that an encoder needs. It has KINDS, its layers by kind, and ENCODERS, by name what encoders.baseline()
takes. A file elsewhere does as well: `kws_train encoders --with FILE`.
"""
import importlib
import importlib.util
import os
import pkgutil

from ..layers import KINDS, TWIN_ONLY

ENCODERS = {}


def _register(module, where):
    """Add what a file has -> its encoders."""
    kinds, encoders = getattr(module, "KINDS", {}), getattr(module, "ENCODERS", {})
    if not isinstance(kinds, dict) or not isinstance(encoders, dict) or not kinds:
        raise SystemExit(f"{where}: want KINDS = {{kind: layer}} and ENCODERS = {{name: dict(title=..., kind=...)}}")
    for taken, new in ((KINDS | TWIN_ONLY, kinds), (ENCODERS, encoders)):
        for name in new:
            if name in taken:
                raise SystemExit(f"{where}: there is a '{name}' already")
    TWIN_ONLY.update(kinds)
    ENCODERS.update(encoders)
    return encoders


def load(path):
    """Add the encoders of a file of one's own -> by name. It may import as those here do: `from .mixer import Mixer`."""
    name = f"{__name__}.{os.path.splitext(os.path.basename(path))[0]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not spec:
        raise SystemExit(f"{path}: not a file of Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except OSError:
        raise
    except Exception as e:
        raise SystemExit(f"{path}: {type(e).__name__}: {e}") from None
    return _register(module, path)


for _found in pkgutil.iter_modules(__path__):
    _register(importlib.import_module(f"{__name__}.{_found.name}"), _found.name)
