#!/usr/bin/env python3
"""Writes the tiny checkpoints and golden files of tests/model/glm, and model/glm/unicode_table.c.

Needs: torch, transformers >= 5, tokenizers, safetensors, pillow. Run it anywhere:
    python3 tests/model/glm/reference.py [chat_template.jinja of GLM-4.6V-Flash]
Without the template's file templates.json stays as it is.
"""
import json, os, random, sys
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GOLD = HERE / "golden"
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ("<|endoftext|> [MASK] [gMASK] [sMASK] <sop> <eop> <|system|> <|user|> <|assistant|> <|observation|> "
           "<|begin_of_image|> <|end_of_image|> <|begin_of_video|> <|end_of_video|> <|begin_of_audio|> <|end_of_audio|> "
           "<|begin_of_transcription|> <|end_of_transcription|> <|code_prefix|> <|code_middle|> <|code_suffix|>").split()
PLAIN = ("<think> </think> <tool_call> </tool_call> <tool_response> </tool_response> <arg_key> </arg_key> <arg_value> "
         "</arg_value> /nothink").split()
MORE = "<|begin_of_box|> <|end_of_box|> <|image|> <|video|>".split()
SEEDS = ["<div class=\"card\">", "</div>\n", "  <p style='margin:0 auto'>", "Hello, World's best!", " I'LL they've", "'ſx",
         "12345", "3.14", "\r\n\r\n", "\t\t", "   ", " \n ", "日本語テキスト", "你好，世界。", "한국어", "Привет", "naïve café",
         "e\u0301a\u0308", "😀👩‍👩‍👧", "🇩🇪", "\u00a0\u2003x", "\u3000", "#1a2b3c;", "@media (max-width: 600px) {", "}\n\n",
         "٣٤٥", "½²Ⅷ", "<|user|>", "<think>", "</think>", "<|image|>", "[gMASK]<sop>", "/nothink", "<|endoftext|>",
         "<|begin_of_box|>", "<tool_call>", "\x00\x01\x7f", "&nbsp;&copy;", "function(a,b){return a+b}", "aaaaaaaaaaaa",
         "_under_score", "ZWJ\u200dx", "\u0085line", "\u2028", "don't", "DON'T", "x\u0301'S"]


def ranges(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    out, hit = [], []
    chars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for base in range(0, len(chars), 4096):
        block = chars[base:base + 4096]
        text = "".join("\x01" + chr(c) for c in block)
        found = set()
        for piece, (a, b) in split.pre_tokenize_str(text):
            if len(piece) == 1 and piece != "\x01":
                found.add(ord(piece))
        # isolated pieces that do not match stay glued to their separators
        hit += [c for c in block if c in found]
    for c in hit:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def unicode_table():
    text = ("/* Letters and numbers of Unicode, as the reference tokeniser sees them. Made by\n"
            " * tests/model/glm/reference.py. */\n#include \"model/glm/unicode.h\"\n")
    for name, pattern in (("letter", r"\p{L}"), ("number", r"\p{N}")):
        rows = ranges(pattern)
        text += f"\nconst struct glm_range glm_{name}s[] = {{\n"
        text += "".join(f"    {{0x{a:X}, 0x{b:X}}},\n" for a, b in rows)
        text += f"}};\nconst size_t glm_{name}_count = sizeof glm_{name}s / sizeof glm_{name}s[0];\n"
    (ROOT / "model/glm/unicode_table.c").write_text(text)


def make_tokenizer():
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    rng = random.Random(1)
    corpus = ["".join(rng.choice(SEEDS) for _ in range(40)) for _ in range(400)]
    tok.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    tok.add_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in PLAIN])
    tok.add_tokens([AddedToken(t, special=True, normalized=False) for t in MORE])
    return tok


class Lcg:
    """The generator that test_tokenizer.c repeats."""
    def __init__(self, seed):
        self.s = seed
    def next(self):
        self.s = (self.s * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        return self.s >> 33


def mixed_text(seed, pieces):
    rng, out = Lcg(seed), []
    for _ in range(pieces):
        kind = rng.next() % 4
        if kind < 2:
            out.append(SEEDS[rng.next() % len(SEEDS)])
        elif kind == 2:
            out.append("".join(chr(32 + rng.next() % 95) for _ in range(1 + rng.next() % 12)))
        else:
            for _ in range(1 + rng.next() % 4):
                c = rng.next() % 0x30000
                out.append(chr(0xFFFD if 0xD800 <= c < 0xE000 else c))
    return "".join(out)


def tokenizer_golden(tok):
    blocks, total = [], 0
    for seed in range(256):
        text = mixed_text(seed, 700)
        total += len(text.encode())
        ids = tok.encode(text, add_special_tokens=False).ids
        h = 1469598103934665603
        for i in ids:
            h = ((h ^ i) * 1099511628211) & (2**64 - 1)
        blocks.append([len(text.encode()), len(ids), f"{h:016x}"])
    (GOLD / "tokens.json").write_text(json.dumps({"seeds": SEEDS, "bytes": total, "blocks": blocks}, ensure_ascii=True))
    print("tokenizer:", total, "bytes")


def configs(vocab, tok, old):
    text = dict(model_type="glm4v_text", vocab_size=vocab, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096, rms_norm_eps=1e-5,
                attention_bias=True, hidden_act="silu", tie_word_embeddings=False, pad_token_id=0, eos_token_id=None)
    rope = dict(rope_type="default", rope_theta=500000.0, partial_rotary_factor=0.5, mrope_section=[1, 1, 2])
    text["rope_parameters"] = rope
    vision = dict(depth=2, hidden_size=32, num_heads=2, image_size=56, patch_size=14, temporal_patch_size=2,
                  spatial_merge_size=2, out_hidden_size=64, intermediate_size=96, rms_norm_eps=1e-5, hidden_act="silu",
                  attention_bias=False, in_channels=3)
    return dict(text_config=text, vision_config=vision, image_token_id=tok.token_to_id("<|image|>"),
                video_token_id=tok.token_to_id("<|video|>"), image_start_token_id=tok.token_to_id("<|begin_of_image|>"),
                image_end_token_id=tok.token_to_id("<|end_of_image|>"),
                video_start_token_id=tok.token_to_id("<|begin_of_video|>"),
                video_end_token_id=tok.token_to_id("<|end_of_video|>"), tie_word_embeddings=False)


def make_model(tok):
    from transformers import Glm4vConfig, Glm4vForConditionalGeneration
    cfg = Glm4vConfig(**configs(768, tok, False))
    cfg._attn_implementation = "eager"
    torch.manual_seed(7)
    model = Glm4vForConditionalGeneration(cfg).eval().float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name and name.endswith("weight"):
                p.uniform_(0.5, 1.5)
            elif name.endswith("bias"):
                p.normal_(0, 0.2)
            elif "embed_tokens" in name or "position_embedding" in name:
                p.normal_(0, 0.5)
            else:
                p.normal_(0, 0.15)
            p.copy_(p.bfloat16().float())  # so that the bf16 checkpoint holds the same numbers
    return cfg, model


def write_checkpoint(cfg, model, tok, name, dtype, old):
    out = GOLD / name
    out.mkdir(parents=True, exist_ok=True)
    state = {k: v.to(dtype).contiguous().clone() for k, v in model.state_dict().items()}
    if name == "nano":  # two shards
        names = sorted(state)
        half = len(names) // 2
        weight_map = {}
        for i, part in enumerate((names[:half], names[half:])):
            file = f"model-{i + 1:05d}-of-00002.safetensors"
            save_file({k: state[k] for k in part}, out / file)
            weight_map |= {k: file for k in part}
        (out / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    else:
        save_file(state, out / "model.safetensors")
    c = configs(768, tok, old)
    c["model_type"] = "glm4v"
    c["architectures"] = ["Glm4vForConditionalGeneration"]
    if old:
        rope = c["text_config"].pop("rope_parameters")
        c["text_config"] |= dict(rope_theta=rope["rope_theta"], partial_rotary_factor=rope["partial_rotary_factor"],
                                 rope_scaling=dict(rope_type="default", mrope_section=rope["mrope_section"]))
    (out / "config.json").write_text(json.dumps(c, indent=1))
    (out / "preprocessor_config.json").write_text(json.dumps(dict(
        size=dict(shortest_edge=6272, longest_edge=160000), patch_size=14, temporal_patch_size=2, merge_size=2,
        image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])))
    (out / "generation_config.json").write_text(json.dumps(dict(
        eos_token_id=[tok.token_to_id(t) for t in ("<|endoftext|>", "<|user|>", "<|observation|>")])))
    tok.save(str(out / "tokenizer.json"))


def test_picture(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([(x * 7 + y * 3) % 256, (x * x + y * 5) % 256, ((x ^ y) * 11) % 256], -1).astype(np.uint8)


def across_then_down():
    """Newer Pillows choose the order of the two passes by size; torchvision and older Pillows always go across first."""
    from PIL import Image
    plain = Image.Image.resize
    def resize(self, size, resample=None, box=None, reducing_gap=None):
        return plain(plain(self, (size[0], self.size[1]), resample), size, resample)
    Image.Image.resize = resize


def picture_golden():
    from PIL import Image
    from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
    proc = Glm4vImageProcessorPil(size=dict(shortest_edge=6272, longest_edge=160000))
    rows = []
    for w, h in ((56, 56), (101, 67), (400, 333), (20, 90), (1, 1), (57, 300), (28, 28)):
        out = proc(images=[Image.fromarray(test_picture(w, h))], return_tensors="pt")
        v = out["pixel_values"].numpy().astype(np.float32)
        hsh = 1469598103934665603
        for b in v.tobytes():
            hsh = ((hsh ^ b) * 1099511628211) & (2**64 - 1)
        _, gh, gw = out["image_grid_thw"][0].tolist()
        rows.append([w, h, gh, gw, f"{hsh:016x}"])
    (GOLD / "pictures.json").write_text(json.dumps(rows))
    return proc


def stages_golden(model, tok, proc):
    from PIL import Image
    pics = [Image.fromarray(test_picture(101, 67)), Image.fromarray(test_picture(56, 140))]
    enc = proc(images=pics, return_tensors="pt")
    grid = enc["image_grid_thw"]
    img = tok.token_to_id("<|image|>")
    n = [int(g.prod()) // 4 for g in grid]
    t = lambda s: tok.encode(s, add_special_tokens=False).ids
    ids = t("[gMASK]<sop><|user|>\nlook") + t("<|begin_of_image|>") + [img] * n[0] + t("<|end_of_image|> and ") + \
        t("<|begin_of_image|>") + [img] * n[1] + t("<|end_of_image|>what?<|assistant|>\n")
    ids = torch.tensor([ids])
    gold, hooks = {}, []
    def grab(name, module, pick=lambda o: o):
        def hook(_, __, o):
            v = pick(o[0] if isinstance(o, tuple) else o).detach().float()
            gold.setdefault(name, v.reshape(-1, v.shape[-1]).contiguous().clone())
        hooks.append(module.register_forward_hook(hook))
    v, l = model.model.visual, model.model.language_model
    grab("vision.patch", v.patch_embed)
    grab("vision.norm", v.post_conv_layernorm)
    grab("vision.positions", v.embeddings)
    grab("vision.block0", v.blocks[0])
    grab("vision.post_norm", v.post_layernorm)
    grab("vision.downsample", v.downsample, lambda o: o.reshape(o.shape[0], -1))
    grab("vision.gelu", v.merger.act1)
    grab("vision.out", v.merger)
    grab("text.layer0", l.layers[0])
    grab("text.norm", l.norm)
    with torch.no_grad():
        types = (ids == img).long()
        kw = dict(pixel_values=enc["pixel_values"], image_grid_thw=grid)
        import inspect
        if "mm_token_type_ids" in inspect.signature(model.forward).parameters:
            kw["mm_token_type_ids"] = types
        out = model(input_ids=ids, **kw)
        gold["text.logits"] = out.logits[0].float()
        pos = model.model.get_rope_index(ids, **({"mm_token_type_ids": types} if "mm_token_type_ids" in kw else {}),
                                         image_grid_thw=grid)
        gold["positions"] = pos[0][:, 0, :].T.contiguous().float()
        cur = ids
        greedy = []
        for h in hooks:
            h.remove()
        for _ in range(12):  # recomputed from the start each time
            k2 = dict(kw)
            if "mm_token_type_ids" in kw:
                k2["mm_token_type_ids"] = (cur == img).long()
            nxt = model(input_ids=cur, use_cache=False, **k2).logits[0, -1].argmax()
            greedy.append(int(nxt))
            cur = torch.cat([cur, nxt.view(1, 1)], 1)
    with torch.no_grad():  # how far the reference itself is from that when it runs in bf16
        import copy
        half = copy.deepcopy(model).bfloat16()
        kw["pixel_values"] = kw["pixel_values"].bfloat16()
        gold["bf16.logits"] = half(input_ids=ids, **kw).logits[0, -8:].float().contiguous()
    gold["text.logits"] = gold["text.logits"][-8:].contiguous()
    gold["text.norm"] = gold["text.norm"][-8:].contiguous()
    gold["ids"] = ids[0]
    gold["greedy"] = torch.tensor(greedy)
    gold["grids"] = grid.long()
    save_file({k: x.contiguous() for k, x in gold.items()}, GOLD / "stages.safetensors")
    print("stages:", {k: tuple(x.shape) for k, x in gold.items()})


def sampling_golden():
    """What the reference's processors leave of the logits, in its order: penalty, temperature, top-k, top-p."""
    from transformers.generation import logits_process as lp
    rows, vocab = [], 500
    for seed, (penalty, temperature, top_k, top_p) in enumerate((
            (1.0, 0.8, 2, 0.6), (1.0, 0.8, 2, 1.0), (1.1, 0.8, 2, 0.6), (1.1, 1.0, 50, 0.9), (1.0, 1.0, 0, 0.95),
            (1.3, 1.7, 0, 1.0), (1.0, 0.3, 20, 0.5), (0.7, 0.8, 10, 0.8), (1.0, 2.0, 0, 0.6), (1.05, 1.0, 499, 0.99))):
        rng = Lcg(seed)
        logits = torch.tensor([[(rng.next() % 20001 - 10000) / 1000 for _ in range(vocab)]], dtype=torch.float32)
        history = torch.tensor([[rng.next() % vocab for _ in range(40)]])
        if penalty != 1.0:
            logits = lp.RepetitionPenaltyLogitsProcessor(penalty)(history, logits)
        logits = lp.TemperatureLogitsWarper(temperature)(history, logits)
        if top_k > 0:
            logits = lp.TopKLogitsWarper(top_k)(history, logits)
        if top_p < 1:
            logits = lp.TopPLogitsWarper(top_p)(history, logits)
        p = torch.softmax(logits[0].double(), -1)
        kept = sorted(((float(v), i) for i, v in enumerate(p) if v > 0), key=lambda x: (-x[0], x[1]))
        rows.append(dict(penalty=penalty, temperature=temperature, top_k=top_k, top_p=top_p, count=len(kept),
                         best=[[i, round(v, 9)] for v, i in kept[:12]]))
    (GOLD / "sampling.json").write_text(json.dumps(rows))
    print("sampling:", [r["count"] for r in rows])


TEMPLATE_41V = ("[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n{% if m.content is string %}{{ m.content }}"
                "{% else %}{% for i in m.content %}{% if i.type == 'image' %}<|begin_of_image|><|image|><|end_of_image|>"
                "{% else %}{{ i.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}"
                "{% if add_generation_prompt %}<|assistant|>\n{% endif %}")
TOOLS = [dict(type="function", function=dict(name="crop", description="Cuts \"a part\" out — 切り抜き.", parameters=dict(
            type="object", properties=dict(bbox=dict(type="array", items=dict(type="integer")), mode=dict(
                type="string", enum=["fit", "fill"])), required=["bbox"]))),
         dict(type="function", function=dict(name="render", description="", parameters=dict(type="object", properties={})))]


def conversations():
    img = dict(type="image")
    say = lambda role, text: dict(role=role, content=text)
    part = lambda text: dict(type="text", text=text)
    call = lambda name, **args: dict(type="function", function=dict(name=name, arguments=args))
    page = "<!DOCTYPE html>\n<html>\n<body class=\"a\">\n  <p>Grüße, 世界 😀 &amp; </p>\n</body>\n</html>"
    box = call("crop", bbox=[1, 2, 3, 4], mode="fit", deep=dict(a=[True, None, 0.5], b="ü\n\"q\""), text=page)
    return [
        [say("user", "hi")],
        [say("user", "")],
        [say("user", "hi /nothink")],
        [say("user", "hi/nothink")],
        [say("system", "You write pages."), say("user", [img, part("describe")])],
        [say("user", [part("before"), img, part(" between "), img, part("after\n\n")])],
        [say("user", [img, img, img])],
        [say("user", [part("make a page"), img, part("/nothink")])],
        [say("user", "q1"), say("assistant", "\n answer 1 \n"), say("user", "q2")],
        [say("system", "S\n"), say("user", [img, part("make it")]), say("assistant", page),
         say("user", [part("Here is yours:"), img, part("Repair it.")]), say("assistant", "```html\n" + page + "\n```"),
         say("user", "wider, please")],
        [say("user", "q"), say("assistant", ""), say("user", "again")],
        [say("user", "q"), say("assistant", "<think>\nlong thought\n</think>\nthe answer"), say("user", "more")],
        [say("user", "q"), say("assistant", "no beginning</think>\n\n the answer "), say("user", "more")],
        [say("user", "q"), dict(role="assistant", content="", tool_calls=[box]), say("tool", "done")],
        [say("user", "q"), dict(role="assistant", content="I look.", tool_calls=[box, call("render")]),
         say("tool", "first"), say("tool", [part("see"), img]), say("tool", "third")],
        [say("user", "q"), dict(role="assistant", content="<think>need it</think>I look.", tool_calls=[call("render")]),
         say("tool", [img]), dict(role="assistant", content="", tool_calls=[call("crop", bbox=[], n=-3, big=1234567890123)]),
         say("tool", "x"), say("assistant", "It is done."), say("user", [img, part("thanks")])],
        [say("system", "one"), say("system", "two"), say("user", "a"), say("user", "b")],
    ]


def templates_golden(tok, path):
    """Every conversation, with thinking left open, on and off, with and without tools."""
    from transformers import PreTrainedTokenizerFast
    fast, rows = PreTrainedTokenizerFast(tokenizer_object=tok), []
    for name, template in (("4.6V", Path(path).read_text().rstrip("\n")), ("4.1V", TEMPLATE_41V)):
        for messages in conversations():
            plain = not any(mark in json.dumps(messages) for mark in ("tool_calls", '"tool"', "think"))
            for think in (None, True, False):
                for tools in (None, TOOLS):
                    if name == "4.1V" and (tools or not plain):
                        continue  # its template knows nothing of these
                    extra = {} if think is None else dict(enable_thinking=think)
                    text = fast.apply_chat_template(messages, tools=tools, chat_template=template, tokenize=False,
                                                    add_generation_prompt=True, **extra)
                    rows.append(dict(model=name, thinking=think, tools=tools or [], messages=messages, want=text))
    (GOLD / "templates.json").write_text(json.dumps(rows, indent=0))
    print("templates:", len(rows))


def main():
    GOLD.mkdir(exist_ok=True)
    across_then_down()
    unicode_table()
    tok = make_tokenizer()
    tokenizer_golden(tok)
    sampling_golden()
    if len(sys.argv) > 1:
        templates_golden(tok, sys.argv[1])
    cfg, model = make_model(tok)
    write_checkpoint(cfg, model, tok, "nano", torch.bfloat16, False)
    write_checkpoint(cfg, model, tok, "nano-old", torch.float16, True)
    proc = picture_golden()
    stages_golden(model, tok, proc)


if __name__ == "__main__":
    main()
