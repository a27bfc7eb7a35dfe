"""Layers with weights of no particular value, to hold against the plainest form of their equations."""
import torch


def made(kind, *a, **k):
    """A layer in float64 whose weights are large enough that all terms show."""
    torch.manual_seed(5)
    layer = kind(*a, **k).double().eval()
    with torch.no_grad():
        for m in layer.modules():
            if isinstance(m, torch.nn.Linear):
                torch.nn.init.normal_(m.weight, std=1.5 * m.in_features ** -0.5)
                torch.nn.init.normal_(m.bias, std=0.3)
    return layer


def rand(*shape):
    return torch.randn(*shape, dtype=torch.float64)
