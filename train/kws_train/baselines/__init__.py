"""Encoders to compare with, of the Mega paper's own tables, each from its paper. They are for the twin alone: Net knows
them by kind once this package is imported, and no model file can hold them.

Each replaces the mixing over time only, as a layer x [B, T, D] -> [B, T, D]; the feed-forward layer between is the same
Nffn for all. Beside forward, a layer tells what it costs: `mixing(t)` multiply-adds a network frame without those of its
Linear layers, `state(t)` numbers kept from frame to frame, None if it needs the whole clip; t network frames are heard.
"""
from ..layers import TWIN_ONLY
from .bigbird import BigBird
from .linear import Linear
from .linformer import Linformer
from .longformer import Longformer
from .luna import Luna
from .mega_both import MegaBoth
from .mixer import Sines
from .performer import Performer
from .pooling import Pooling
from .reformer import Reformer
from .s4 import S4
from .s4d import S4D
from .transformer import Transformer

TWIN_ONLY.update(sines=Sines, transformer=Transformer, reformer=Reformer, linformer=Linformer, bigbird=BigBird,
                 performer=Performer, luna=Luna, s4d=S4D, longformer=Longformer, linear=Linear, pooling=Pooling, s4=S4,
                 mega_both=MegaBoth)
