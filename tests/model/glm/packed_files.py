#!/usr/bin/env python3
"""Writes golden/packed: the layers of the text model of golden/nano in four bits, as compressed-tensors and as AWQ store
them, and what the reference makes of the numbers that are left.

Needs: compressed-tensors, safetensors, torch, transformers. Run it anywhere, after reference.py:
    python3 tests/model/glm/packed_files.py

compressed-tensors packs with its own library. For AWQ the layout is that of its gemm kernels: words of eight neighbouring
outputs in the order 0 2 4 6 1 3 5 7, lowest bits first, inputs down. extra.* are layers of other sizes and groups; hashes
of what every layer holds go to packed.json.
"""
import json
from pathlib import Path
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32, unpack_from_int32
from safetensors.torch import load_file, save_file

import gguf_files

GOLD = Path(__file__).resolve().parent / "golden"
OUT = GOLD / "packed"
ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
EXTRA = {"extra.wide": (40, 384, 128), "extra.middle": (16, 128, 64), "extra.channel": (24, 96, 96)}


def rows_form(weight, group):
    """Symmetric: codes -8 .. 7, a bf16 scale."""
    split = weight.reshape(weight.shape[0], -1, group)
    scale = (split.abs().amax(-1) / 7.5).to(torch.bfloat16)
    codes = (split / scale.float()[..., None]).round().clamp(-8, 7)
    values = (codes * scale.float()[..., None]).reshape(weight.shape)
    codes = codes.reshape(weight.shape).to(torch.int8)
    packed = pack_to_int32(codes, 4)
    assert torch.equal(unpack_from_int32(packed, 4, weight.shape), codes)
    return values, {"weight_packed": packed, "weight_scale": scale,
                    "weight_shape": torch.tensor(weight.shape, dtype=torch.int64)}


def awq_pack(codes):
    """[rows][8 n] to [rows][n] words."""
    split = codes.to(torch.int64).reshape(codes.shape[0], -1, 8)
    words = sum(split[..., ORDER[i]] << 4 * i for i in range(8))
    return torch.where(words >= 1 << 31, words - (1 << 32), words).to(torch.int32).contiguous()


def awq_form(weight, group):
    """Asymmetric: codes 0 .. 15, a whole zero and an fp16 scale."""
    split = weight.reshape(weight.shape[0], -1, group)
    low, high = split.amin(-1).clamp(max=0), split.amax(-1).clamp(min=0)
    scale = ((high - low) / 15).to(torch.float16)
    zero = (-low / scale.float()).round().clamp(0, 15)
    codes = (split / scale.float()[..., None] + zero[..., None]).round().clamp(0, 15)
    values = ((codes - zero[..., None]) * scale.float()[..., None]).reshape(weight.shape)
    codes = codes.reshape(weight.shape)
    return values, {"qweight": awq_pack(codes.T), "qzeros": awq_pack(zero.T), "scales": scale.T.contiguous()}


def is_layer(name, value):
    return value.ndim == 2 and ".layers." in name and "visual" not in name


def stages(folder, left):
    """The reference's logits with these weights."""
    import reference
    from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
    reference.GOLD = folder
    reference.across_then_down()
    tok = reference.make_tokenizer()
    _, model = reference.make_model(tok)
    model.load_state_dict(model.state_dict() | left)
    reference.stages_golden(model, tok, Glm4vImageProcessorPil(size=dict(shortest_edge=6272, longest_edge=160000)))
    path = folder / "stages.safetensors"
    save_file({k: v for k, v in load_file(path).items() if k in ("ids", "greedy", "text.logits")}, path)


def main():
    state, generator = gguf_files.load(), torch.Generator().manual_seed(9)
    extra = {n: (torch.randn(r, c, generator=generator) * 0.1, g) for n, (r, c, g) in EXTRA.items()}
    hashes = {}
    config = json.loads((GOLD / "nano/config.json").read_text())
    weights = dict(num_bits=4, type="int", symmetric=True, strategy="group", group_size=32, actorder=None)
    forms = {"rows": (rows_form, dict(quant_method="compressed-tensors", format="pack-quantized", ignore=["lm_head"],
                                      config_groups=dict(group_0=dict(targets=["Linear"], weights=weights,
                                                                      input_activations=None)))),
             "awq": (awq_form, dict(quant_method="awq", bits=4, group_size=32, zero_point=True, version="gemm",
                                    modules_to_not_convert=["visual"]))}
    for name, (form, quantised) in forms.items():
        folder, tensors, left = OUT / name, {}, dict(state)
        folder.mkdir(parents=True, exist_ok=True)
        layers = {n.removesuffix(".weight"): (v, 32) for n, v in state.items() if is_layer(n, v)}
        for stem, (value, group) in (layers | extra).items():
            values, parts = form(value, group)
            tensors |= {f"{stem}.{k}": v for k, v in parts.items()}
            hashes[f"{name}:{stem}"] = f"{gguf_files.fnv((values + 0).numpy().tobytes()):016x}"
            if stem in layers:
                left[f"{stem}.weight"] = values
        save_file(tensors, folder / "packed.safetensors")
        (folder / "config.json").write_text(json.dumps(config | dict(quantization_config=quantised), indent=1))
        stages(folder, left)
    (OUT / "packed.json").write_text(json.dumps(hashes, indent=1))


if __name__ == "__main__":
    main()
