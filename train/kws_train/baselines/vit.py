"""Vision Transformer (Dosovitskiy et al. 2021, arXiv 2010.11929): an encoder, in which every frame hears the whole clip.

    o_i = sum_j softmax_j(q_i k_j / sqrt(d)) v_j      (section 3.1, appendix A)

q, k, v [B, G, T, d], d = D / G: the Transformer without its mask. Not causal: it needs the clip. A network frame is a patch of
all bands, positions are sines as elsewhere here, and the head takes the mean of all patches, so there is no class token. DeiT
(Touvron et al. 2021, arXiv 2012.12877) is the same network with another training, so this is its row, too.
"""
import torch

from .transformer import SelfAttention


class VisionTransformer(SelfAttention):
    causal = False

    def seen(self, t):
        return torch.ones(t, t, dtype=torch.bool)

    def mixing(self, t):
        return 2 * self.dim * t

    def state(self, t):
        return None


KINDS = {"vit": VisionTransformer}
ENCODERS = {"vit": dict(title="Transformer, both ways (ViT, DeiT)", ffn=304, kind="vit", heads=4)}
