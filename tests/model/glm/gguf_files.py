#!/usr/bin/env python3
"""Writes golden/gguf: the checkpoint golden/nano as pairs of GGUF files, as llama.cpp's converter would make them, and
what the format's own library makes of blocks of every type.

Needs: gguf, safetensors, torch, transformers. Run it anywhere, after reference.py:
    python3 tests/model/glm/gguf_files.py

Names, values and the order of q's and k's rows follow conversion/glm.py and conversion/qwenvl.py of llama.cpp. Names come
from the library's own tables, so that a wrong one in model/glm/gguf_weights.c is seen.
"""
import json
from pathlib import Path
import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors import safe_open

GOLD = Path(__file__).resolve().parent / "golden"
NANO, OUT = GOLD / "nano", GOLD / "gguf"
# type: bytes of a block
BLOCKS = {T.Q4_0: 18, T.Q4_1: 20, T.Q5_0: 22, T.Q5_1: 24, T.Q8_0: 34, T.Q4_K: 144, T.Q5_K: 176, T.Q6_K: 210,
          T.IQ4_NL: 18, T.IQ4_XS: 136}


def load():
    state = {}
    for shard in sorted(NANO.glob("*.safetensors")):
        with safe_open(shard, "pt") as f:
            state |= {name: f.get_tensor(name).float() for name in f.keys()}
    return state


def to_halves(rows, heads, dim, turned):
    """Pairs (2j, 2j + 1) of a head's turned dims become (j, j + turned / 2)."""
    split = rows.reshape(heads, dim, -1)
    turn = split[:, :turned]
    return torch.cat([turn[:, 0::2], turn[:, 1::2], split[:, turned:]], 1).reshape(rows.shape)


def text_tensors(state, config):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GLM4, config["num_hidden_layers"])
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    dim = config["hidden_size"] // heads
    for name, value in state.items():
        if "visual" in name:
            continue
        for end, count in (("q_proj", heads), ("k_proj", kv)):
            if f".{end}." in name:
                value = to_halves(value, count, dim, dim // 2)
        name = name.replace("model.language_model.", "model.")
        stem, ending = name.rsplit(".", 1)
        yield f"{names.get_name(stem)}.{ending}", value


def tower_tensors(state, config):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, config["depth"])
    for name, value in state.items():
        if "visual" not in name:
            continue
        stem, ending = name.replace("model.", "").rsplit(".", 1)
        new = f"{names.get_name(stem)}.{ending}"
        if value.ndim == 5:  # a filter for each frame
            yield new, value[:, :, 0]
            yield new + ".1", value[:, :, 1]
        else:
            yield new, value


def add_tensors(writer, tensors, kind):
    for name, value in tensors:
        array = value.contiguous().numpy()
        use = kind if array.ndim == 2 and "position" not in name else T.F32
        if array.ndim > 2 and kind in BLOCKS:
            use = T.F16
        if use in BLOCKS and array.shape[-1] % gguf.GGML_QUANT_SIZES[use][0]:
            use = T.F16
        writer.add_tensor(name, gguf.quantize(array, use), raw_dtype=use)


def text_values(writer, config, sections):
    dim = config["hidden_size"] // config["num_attention_heads"]
    rope = config["rope_parameters"]
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(int(dim * rope["partial_rotary_factor"]))
    if sections:
        writer.add_rope_dimension_sections(rope["mrope_section"] + [0])


def token_values(writer, vocab):
    tok = json.loads((NANO / "tokenizer.json").read_text())
    by_id = {i: t for t, i in tok["model"]["vocab"].items()}
    added = {t["id"]: t for t in tok["added_tokens"]}
    tokens, types = [], []
    for i in range(vocab):
        if i in added:
            tokens.append(added[i]["content"])
            types.append(gguf.TokenType.CONTROL if added[i]["special"] else gguf.TokenType.USER_DEFINED)
        elif i in by_id:
            tokens.append(by_id[i])
            types.append(gguf.TokenType.NORMAL)
        else:
            tokens.append(f"[PAD{i}]")
            types.append(gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("glm4")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tok["model"]["merges"]])
    mark = {t["content"]: t["id"] for t in tok["added_tokens"]}
    writer.add_eos_token_id(mark["<|endoftext|>"])
    writer.add_eot_token_id(mark["<|user|>"])
    writer.add_bos_token_id(mark["<|endoftext|>"])
    writer.add_unk_token_id(mark["<|endoftext|>"])


def tower_values(writer, config, picture):
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.GLM4V)
    writer.add_vision_projection_dim(config["out_hidden_size"])
    writer.add_vision_image_size(config["image_size"])
    writer.add_vision_patch_size(config["patch_size"])
    writer.add_vision_embedding_length(config["hidden_size"])
    writer.add_vision_feed_forward_length(config["intermediate_size"])
    writer.add_vision_block_count(config["depth"])
    writer.add_vision_head_count(config["num_heads"])
    writer.add_vision_image_mean(picture["image_mean"])
    writer.add_vision_image_std(picture["image_std"])
    writer.add_vision_min_pixels(picture["size"]["shortest_edge"] // 2)
    writer.add_vision_max_pixels(picture["size"]["longest_edge"] // 2)
    writer.add_vision_use_silu(True)
    writer.add_vision_attention_layernorm_eps(config["rms_norm_eps"])


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_pair(folder, kind):
    config = json.loads((NANO / "config.json").read_text())
    picture = json.loads((NANO / "preprocessor_config.json").read_text())
    state = load()
    folder.mkdir(parents=True, exist_ok=True)
    name = kind.name
    text = gguf.GGUFWriter(folder / f"nano-{name}.gguf", "glm4")
    text.add_name("nano")
    text_values(text, config["text_config"], True)
    token_values(text, config["text_config"]["vocab_size"])
    add_tensors(text, text_tensors(state, config["text_config"]), kind)
    finish(text)
    tower = gguf.GGUFWriter(folder / f"mmproj-nano-{name}.gguf", "clip")
    tower_values(tower, config["vision_config"], picture)
    add_tensors(tower, tower_tensors(state, config["vision_config"]), kind)
    finish(tower)


def fnv(data):
    h = 1469598103934665603
    for b in data:
        h = ((h ^ b) * 1099511628211) & (2**64 - 1)
    return h


def blocks_golden():
    """Random blocks of every type, with usual scales, and the hash of the weights in them."""
    rng, rows = np.random.default_rng(3), []
    halves = {T.Q4_1: (0, 2), T.Q5_1: (0, 2), T.Q4_K: (0, 2), T.Q5_K: (0, 2), T.Q6_K: (208,)}
    for kind, size in BLOCKS.items():
        data = rng.integers(0, 256, (24, size), dtype=np.uint8)
        for at in halves.get(kind, (0,)):
            scale = rng.normal(0, 0.1, 24).astype(np.float16)
            scale[0], scale[1] = np.float16(0), np.float16(6e-8)  # nothing, and below the normal numbers
            data[:, at:at + 2] = scale.view(np.uint8).reshape(24, 2)
        values = gguf.dequantize(data, kind).astype(np.float32) + np.float32(0)  # one zero, not two
        rows.append([int(kind), data.tobytes().hex(), f"{fnv(values.tobytes()):016x}"])
    (OUT / "blocks.json").write_text(json.dumps(rows))


def stages_golden(folder, kind):
    """What the reference makes of the numbers that this type keeps of the weights: stages.safetensors."""
    import reference
    from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
    reference.GOLD = folder
    reference.across_then_down()
    tok = reference.make_tokenizer()
    _, model = reference.make_model(tok)
    state = model.state_dict()
    for name, value in load().items():
        array = value.numpy()
        if array.ndim == 2 and "position" not in name:
            array = gguf.dequantize(gguf.quantize(array, kind), kind)
        elif array.ndim > 2:
            array = array.astype(np.float16)
        state[name] = torch.from_numpy(array.astype(np.float32))
    model.load_state_dict(state)
    reference.stages_golden(model, tok, Glm4vImageProcessorPil(size=dict(shortest_edge=6272, longest_edge=160000)))


def fuzz_seeds():
    """Both files of a model of one small layer, the text model's length in front."""
    import struct
    rng = np.random.default_rng(5)
    text = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32,
                max_position_embeddings=64, rms_norm_eps=1e-5,
                rope_parameters=dict(rope_theta=500000.0, partial_rotary_factor=0.5, mrope_section=[1, 1, 2]))
    tower = dict(depth=1, hidden_size=32, num_heads=2, image_size=8, patch_size=4, out_hidden_size=32, intermediate_size=32,
                 rms_norm_eps=1e-5)
    picture = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3, size=dict(shortest_edge=64, longest_edge=640))
    layer = dict(input_layernorm=[32], post_self_attn_layernorm=[32], post_attention_layernorm=[32],
                 post_mlp_layernorm=[32]) | {"mlp.gate_up_proj": [64, 32], "mlp.down_proj": [32, 32]} | \
        {f"self_attn.{n}_proj": [16 if n in "kv" else 32, 32] for n in "qkvo"}
    state = {"model.language_model.embed_tokens.weight": [276, 32], "lm_head.weight": [276, 32],
             "model.language_model.norm.weight": [32], "model.visual.patch_embed.proj.weight": [32, 3, 2, 4, 4],
             "model.visual.embeddings.position_embedding.weight": [4, 32], "model.visual.downsample.weight": [32, 32, 2, 2],
             "model.visual.merger.proj.weight": [32, 32]}
    state |= {f"model.language_model.layers.0.{n}.weight": s for n, s in layer.items()}
    state = {n: torch.from_numpy(rng.normal(0, 0.1, s).astype(np.float32)) for n, s in state.items()}
    folder = GOLD.parent / "corpus_gguf"
    folder.mkdir(exist_ok=True)
    for kind in (T.Q4_0, T.Q8_0, T.BF16):
        parts = []
        for part in ("text", "tower"):
            writer = gguf.GGUFWriter(folder / "part", "glm4" if part == "text" else "clip")
            if part == "text":
                text_values(writer, text, kind != T.BF16)
                small_tokens(writer)
            else:
                tower_values(writer, tower, picture)
            add_tensors(writer, text_tensors(state, text) if part == "text" else tower_tensors(state, tower), kind)
            finish(writer)
            parts.append((folder / "part").read_bytes())
            (folder / "part").unlink()
        (folder / f"pair-{kind.name}").write_bytes(struct.pack("<I", len(parts[0])) + parts[0] + parts[1])


def small_tokens(writer):
    from tokenizers.pre_tokenizers import ByteLevel
    tokens = sorted(ByteLevel.alphabet()) + ["ab", "abc", "\u0120a"]
    types = [gguf.TokenType.NORMAL] * len(tokens)
    for mark in ("<|endoftext|>", "<|user|>", "<|image|>", "</answer>"):
        tokens.append(mark)
        types.append(gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("glm4")
    writer.add_token_list(tokens + ["<think>", "[PAD264]"])
    writer.add_token_types(types + [gguf.TokenType.USER_DEFINED, gguf.TokenType.UNUSED])
    writer.add_token_merges(["a b", "ab c", "\u0120 a"])
    writer.add_eos_token_id(259)
    writer.add_eot_token_id(260)


def main():
    fuzz_seeds()
    write_pair(OUT / "bf16", T.BF16)
    for kind in (T.Q8_0, T.Q4_0):
        folder = OUT / kind.name.lower()
        write_pair(folder, kind)
        stages_golden(folder, kind)
    blocks_golden()


if __name__ == "__main__":
    main()
