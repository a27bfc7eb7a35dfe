"""What each part of Mega and of Fastformer is for: the encoders with parts of them changed or taken out. They are rows that
`kws_train encoders --ablations` trains and draws, beside those that they are changed from.
"""

WIDTHS = (1, 2, 4, 8, 32)  # of the EMA; 16 is the encoder as it is
CHUNKS = (10, 100)         # 16, 25 and 50 are encoders; 100 network frames are two seconds
# what is taken out, title, how wide the feed-forward layer becomes, so that there are as many parameters as before
PARTS = {"mega-undamped": (["damping"], "EMA without damping", 136), "mega-no-reset": (["reset"], "Mega without reset gate", 192),
         "mega-no-update": (["update"], "Mega without update gate", 160),
         "mega-no-gates": (["reset", "update"], "Mega without both gates", 224)}


def rows(encoders, varied):
    """encoders: by name; varied: makes one of another -> those of the ablations, by name, and (one, other, what for what) of
    each and what it is changed from."""
    mega, fast = encoders["mega"], encoders["fastformer"]
    whole = ("mega", "mega-laplace", "mega-relu2", "mega-16", "mega-50", "mega-no-ema", "ema-only", "fastformer")
    table = {name: encoders[name] for name in whole}
    for n in WIDTHS:
        table[f"mega-width-{n}"] = varied(mega, f"EMA of width {n}", ndim=n, ffn=128 + 2 * (16 - n))  # 256 weights for 129
    for n in CHUNKS:
        table[f"mega-{n}"] = varied(mega, f"Mega, chunk {n}, softmax", chunk=n)
    for name, (without, title, ffn) in PARTS.items():
        table[name] = varied(mega, title, ffn, kind="mega_parts", without=without)
    parts = dict(kind="fastformer_parts", shares_values=True, shares_heads=False)
    table["fastformer-own-values"] = varied(fast, "Fastformer, values of their own", 272, **{**parts, "shares_values": False})
    table["fastformer-one-head"] = varied(fast, "Fastformer, heads share weights", 352, **{**parts, "shares_heads": True})
    table["fastformer-one-layer"] = varied(fast, "Fastformer, layers share weights", shared=True)
    origin = lambda name: "fastformer" if name.startswith("fastformer") else "mega"
    return table, [(n, origin(n), f"{e.title} for {table[origin(n)].title}") for n, e in table.items() if n != origin(n)]
