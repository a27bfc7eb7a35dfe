"""Write safetensors files whose bytes follow from their content alone: the library's own writer orders metadata by chance."""
import json
import os

import torch


def save_file(tensors: dict, path: str, metadata: dict) -> None:
    """Write float32 tensors, behind them int8 ones (any shape), and string metadata; names in sorted order, the header padded
    to 8 bytes."""
    header, data, at = {"__metadata__": dict(sorted(metadata.items()))}, [], 0
    for name in sorted(tensors, key=lambda k: (tensors[k].dtype == torch.int8, k)):
        t = tensors[name].detach().cpu().contiguous()
        of_bytes = t.dtype == torch.int8
        data.append(t.numpy().tobytes() if of_bytes else t.float().numpy().astype("<f4").tobytes())
        header[name] = {"dtype": "I8" if of_bytes else "F32", "shape": list(t.shape), "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    tmp = f"{path}.tmp"
    with open(tmp, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(data))
    os.replace(tmp, path)
