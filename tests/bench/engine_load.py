#!/usr/bin/env python3
"""From a packed int4 file of the full size to the first token. Makes a checkpoint of the published sizes in FOLDER.

    tests/bench/engine_load.py build/release/tests/model/glm/bench_engine_load FOLDER [int4|int4-g128]
                                                                                           needs 8 GB of disk and memory

The bf16 shard is a sparse file. The pack is written here with random bytes (model/glm/pack.h has the layout), since
quantising nine billion weights takes minutes and is not what is measured. Then the program is run four times; from the
second on the pack is in memory.
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

program, folder = sys.argv[1], Path(sys.argv[2])
form = sys.argv[3] if len(sys.argv) > 3 else "int4"
group = 128 if form == "int4-g128" else 32
nano = Path(__file__).resolve().parents[1] / "model/glm/golden/nano"
H, INNER, VOCAB, LAYERS, KV, V, DEPTH = 4096, 13696, 151552, 40, 256, 1536, 24


def tensors():
    yield "model.language_model.embed_tokens.weight", [VOCAB, H]
    yield "lm_head.weight", [VOCAB, H]
    yield "model.language_model.norm.weight", [H]
    for i in range(LAYERS):
        p = f"model.language_model.layers.{i}."
        for norm in ("input_layernorm", "post_self_attn_layernorm", "post_attention_layernorm", "post_mlp_layernorm"):
            yield p + norm + ".weight", [H]
        for name, rows in (("q", H), ("k", KV), ("v", KV)):
            yield f"{p}self_attn.{name}_proj.weight", [rows, H]
            yield f"{p}self_attn.{name}_proj.bias", [rows]
        yield p + "self_attn.o_proj.weight", [H, H]
        yield p + "mlp.gate_up_proj.weight", [2 * INNER, H]
        yield p + "mlp.down_proj.weight", [H, INNER]
    p = "model.visual."
    yield p + "patch_embed.proj.weight", [V, 3, 2, 14, 14]
    yield p + "patch_embed.proj.bias", [V]
    yield p + "post_conv_layernorm.weight", [V]
    yield p + "embeddings.position_embedding.weight", [576, V]
    yield p + "post_layernorm.weight", [V]
    yield p + "downsample.weight", [H, V, 2, 2]
    yield p + "downsample.bias", [H]
    yield p + "merger.proj.weight", [H, H]
    yield p + "merger.post_projection_norm.weight", [H]
    yield p + "merger.post_projection_norm.bias", [H]
    yield p + "merger.gate_proj.weight", [INNER, H]
    yield p + "merger.up_proj.weight", [INNER, H]
    yield p + "merger.down_proj.weight", [H, INNER]
    for i in range(DEPTH):
        q = f"{p}blocks.{i}."
        yield q + "norm1.weight", [V]
        yield q + "norm2.weight", [V]
        yield q + "attn.qkv.weight", [3 * V, V]
        yield q + "attn.proj.weight", [V, V]
        yield q + "mlp.gate_proj.weight", [H, V]
        yield q + "mlp.up_proj.weight", [H, V]
        yield q + "mlp.down_proj.weight", [V, H]


def checkpoint():
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(nano / "tokenizer.json", folder)
    shutil.copy(nano / "preprocessor_config.json", folder)
    shutil.copy(nano / "generation_config.json", folder)
    config = json.loads((nano / "config.json").read_text())
    config["text_config"].update(hidden_size=H, num_hidden_layers=LAYERS, num_attention_heads=32, num_key_value_heads=2,
                                 head_dim=128, intermediate_size=INNER, vocab_size=VOCAB, max_position_embeddings=131072)
    config["text_config"]["rope_parameters"] = {"rope_type": "default", "rope_theta": 500000.0,
                                                "partial_rotary_factor": 0.5, "mrope_section": [8, 12, 12]}
    config["vision_config"].update(depth=DEPTH, hidden_size=V, num_heads=12, out_hidden_size=H, intermediate_size=INNER,
                                   image_size=336, patch_size=14)
    (folder / "config.json").write_text(json.dumps(config))
    header, at, norms = {}, 0, []
    for name, shape in tensors():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        if len(shape) == 1 and name.endswith("weight"):
            norms.append((at, shape[0]))
        if "embed_tokens" in name:
            embed = at
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        base = 8 + len(text)
        f.truncate(base + at)
        for place, count in norms:
            f.seek(base + place)
            f.write(b"\x80\x3f" * count)
        f.seek(base + embed)
        for _ in range(800 * H):
            f.write(struct.pack("<H", 0x3C00 | random.getrandbits(7) | random.getrandbits(1) << 15))


def ask(env):
    start = time.perf_counter()
    done = subprocess.run([program, str(folder), form], env=env, capture_output=True, text=True)
    return time.perf_counter() - start, (done.stderr + done.stdout).strip()[-300:]


def fnv(h, data):
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & (1 << 64) - 1
    return h


def source_hash():
    """As glm_pack_source: names in order, shapes, types, both ends of each tensor."""
    with open(folder / "model.safetensors", "rb") as f:
        length = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(length))
        h, short = 0xCBF29CE484222325, {}
        for name, entry in header.items():
            short[name.replace("model.language_model.", "").replace("model.visual.", "visual.")] = entry
        for name in sorted(short):
            begin, end = short[name]["data_offsets"]
            part = min(end - begin, 2048)
            h = fnv(h, name.encode() + b"\0" + struct.pack(f"<{len(short[name]['shape'])}q", *short[name]["shape"]) +
                    struct.pack("<i", 2))
            for at in (begin, end - part):
                f.seek(8 + length + at)
                h = fnv(h, f.read(part))
    return h


def write_pack(path, source):
    layer = [(H, H), (KV, H), (KV, H), (H, H), (INNER, H), (INNER, H), (H, INNER)]
    shapes = [(4, *shape) for _ in range(LAYERS) for shape in layer] + [(3, VOCAB, H)]
    noise = os.urandom(1 << 24)
    scales = struct.pack("<65536H", *[0x1000 + random.getrandbits(9) for _ in range(65536)])
    place, table = (64 + 48 * len(shapes) + 63) // 64 * 64, b""
    with open(path, "wb") as f:
        for kind, rows, cols in shapes:
            size = rows * cols // (2 if kind == 4 else 1)
            second = (place + size + 63) // 64 * 64
            table += struct.pack("<6Q", kind, group, rows, cols, place, second)
            f.seek(place)
            for at in range(0, size, len(noise)):
                f.write(noise[:min(len(noise), size - at)])
            f.seek(second)
            count = rows * cols // group * 2
            for at in range(0, count, len(scales)):
                f.write(scales[:min(len(scales), count - at)])
            place = (second + count + 63) // 64 * 64
        f.truncate(place)
        head = struct.pack("<8s6Q", b"GLMPACK", 2, 4, group, source, place, len(shapes))
        f.seek(0)
        f.write(head + struct.pack("<Q", fnv(fnv(0, head), table)) + table)


random.seed(1)
checkpoint()
env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
packs = folder / "cache/glmv-replicate"
packs.mkdir(parents=True, exist_ok=True)
source = source_hash()
pack = packs / f"{source:016x}-int4-g{group}.pack"
write_pack(pack, source)
print(f"pack: {pack.stat().st_size / 1e9:.2f} GB", flush=True)
for i in range(4):
    print("%.2f s in all: %s" % ask(env), flush=True)
