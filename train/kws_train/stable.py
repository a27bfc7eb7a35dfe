"""Write safetensors files whose bytes follow from their content alone: the library's own writer orders metadata by chance."""
import json
import os

import torch


def save_file(tensors: dict, path: str, metadata: dict) -> None:
    """Write float32 tensors (any shape) and string metadata; names in sorted order, the header padded to 8 bytes."""
    header, data, at = {"__metadata__": dict(sorted(metadata.items()))}, [], 0
    for name in sorted(tensors):
        t = tensors[name].detach().to("cpu", torch.float32).contiguous()
        n = 4 * t.numel()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + n]}
        data.append(t.numpy().astype("<f4").tobytes())
        at += n
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    tmp = f"{path}.tmp"
    with open(tmp, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(data))
    os.replace(tmp, path)
