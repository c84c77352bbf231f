#!/usr/bin/env python3
"""The engine beside llama.cpp: one GGUF file of full-width layers of the 9B model with random weights, opened by both,
decode and prefill by turns on as many threads, alone and beside one and two busy processes for each processor, which are
stopped in between. Prompts are also given as a share of what the processor can multiply in registers (bench_engine_peak).

Needs gguf and numpy, and the libraries of llama.cpp, for example the package @node-llama-cpp/linux-x64 unpacked:
    npm pack @node-llama-cpp/linux-x64 && tar xzf node-llama-cpp-linux-x64-*.tgz
    tests/bench/engine_llama.py build/release package/bins/linux-x64 /tmp/bench [--layers 4] [--threads 1,4] [--types Q4_0,Q4_K_M,BF16]

llama.cpp runs as it comes, with its repacked layouts; its context holds 512 tokens in float16, as ours does. Ratios are
medians over turns: what a machine can read may double from one second to the next, which meets both of a turn. The
logits of the same 64 tokens are compared first, also with those of unpacked weights: an engine that reads the file in
another way would be seen.
"""
import argparse
import ctypes as c
import glob
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

H, INNER, HEADS, KV, DIM, VOCAB = 4096, 13696, 32, 2, 128, 8192
# weights and bytes of a block; where its scales are, and such that weights have a deviation of about 0.02
BLOCKS = {"Q4_0": (32, 18, (0, 0.0043)), "Q8_0": (32, 34, (0, 0.00027)), "Q5_0": (32, 22, (0, 0.0022)),
          "Q4_K": (256, 144, (0, 7e-5), (2, 5.2e-4)), "Q6_K": (256, 210, (208, 1.5e-5))}
DECODE, LIMIT, PHASE = 8, 2, 60  # tokens; seconds for the decoding of a turn, for the turns of a phase


def random_matrix(gguf, np, rng, kind, rows, cols):
    if kind == "BF16":
        values = rng.standard_normal((rows, cols), dtype=np.float32) * 0.02
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8), gguf.GGMLQuantizationType.BF16
    weights, size, *scales = BLOCKS[kind]
    data = rng.integers(0, 256, (rows, cols // weights, size), dtype=np.uint8)
    for at, scale in scales:
        data[:, :, at:at + 2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
    return data.reshape(rows, -1), gguf.GGMLQuantizationType[kind]


def kind_of(kind, name, cols):
    """Q4_K_M files are mixed, and rows that are no whole blocks of 256 are in Q5_0."""
    if kind != "Q4_K_M":
        return kind
    return "Q5_0" if cols % 256 else "Q6_K" if name == "output.weight" or "attn_v" in name else "Q4_K"


def write_text(path, kind, layers):
    import gguf
    import numpy as np
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "glm4")
    w.add_block_count(layers)
    w.add_context_length(131072)
    w.add_embedding_length(H)
    w.add_feed_forward_length(INNER)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV)
    w.add_rope_freq_base(500000.0)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(DIM // 2)
    w.add_rope_dimension_sections([8, 12, 12, 0])
    marks = ["<|endoftext|>", "<|user|>", "<|image|>"]
    letters = [chr(b) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174 else None for b in range(256)]
    spare = iter(range(256, 512))
    tokens = [x if x is not None else chr(next(spare)) for x in letters] + marks
    tokens += [f"[PAD{i}]" for i in range(len(tokens), VOCAB)]
    T = gguf.TokenType
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("glm4")
    w.add_token_list(tokens)
    w.add_token_types([T.NORMAL] * 256 + [T.CONTROL] * 3 + [T.UNUSED] * (VOCAB - 259))
    w.add_token_merges(["a b"])
    w.add_eos_token_id(256)
    w.add_eot_token_id(257)

    def matrix(name, rows, cols):
        data, raw = random_matrix(gguf, np, rng, kind_of(kind, name, cols), rows, cols)
        w.add_tensor(name, data, raw_dtype=raw)

    def vector(name, size, one=True):
        w.add_tensor(name, np.ones(size, np.float32) if one else rng.standard_normal(size, dtype=np.float32) * 0.1)

    matrix("token_embd.weight", VOCAB, H)
    matrix("output.weight", VOCAB, H)
    vector("output_norm.weight", H)
    for i in range(layers):
        for norm in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            vector(f"blk.{i}.{norm}.weight", H)
        for name, rows in (("q", HEADS * DIM), ("k", KV * DIM), ("v", KV * DIM)):
            matrix(f"blk.{i}.attn_{name}.weight", rows, H)
            vector(f"blk.{i}.attn_{name}.bias", rows, False)
        matrix(f"blk.{i}.attn_output.weight", H, HEADS * DIM)
        matrix(f"blk.{i}.ffn_up.weight", 2 * INNER, H)
        matrix(f"blk.{i}.ffn_down.weight", H, INNER)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def write_tower(path):
    """A small one: the engine wants it to be there."""
    import gguf
    import numpy as np
    w = gguf.GGUFWriter(path, "clip")
    w.add_clip_projector_type(gguf.VisionProjectorType.GLM4V)
    w.add_vision_projection_dim(H)
    w.add_vision_image_size(28)
    w.add_vision_patch_size(14)
    w.add_vision_embedding_length(32)
    w.add_vision_feed_forward_length(32)
    w.add_vision_block_count(1)
    w.add_vision_head_count(2)
    w.add_vision_image_mean([0.5] * 3)
    w.add_vision_image_std([0.5] * 3)
    w.add_vision_attention_layernorm_eps(1e-5)
    shapes = {"v.patch_embd.weight": [32, 3, 14, 14], "v.patch_embd.weight.1": [32, 3, 14, 14], "v.patch_embd.bias": [32],
              "v.norm_embd.weight": [32], "v.position_embd.weight": [4, 32], "v.blk.0.ln1.weight": [32],
              "v.blk.0.ln2.weight": [32], "v.blk.0.attn_qkv.weight": [96, 32], "v.blk.0.attn_out.weight": [32, 32],
              "v.blk.0.ffn_gate.weight": [H, 32], "v.blk.0.ffn_up.weight": [H, 32], "v.blk.0.ffn_down.weight": [32, H],
              "v.post_ln.weight": [32], "mm.patch_merger.weight": [H, 32, 2, 2], "mm.patch_merger.bias": [H],
              "mm.model.fc.weight": [H, H], "mm.post_norm.weight": [H], "mm.post_norm.bias": [H],
              "mm.gate.weight": [32, H], "mm.up.weight": [32, H], "mm.down.weight": [H, 32]}
    for name, shape in shapes.items():
        w.add_tensor(name, np.zeros(shape, np.float16 if len(shape) > 1 else np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def token(i):
    return (37 * i + 11) % 256


class Blob(c.Structure):
    """A struct of the library whose members are not looked at: larger than it is, so that it fits."""
    _fields_ = [("bytes", c.c_char * 512)]


class Llama:
    """libllama by its C interface."""

    def __init__(self, folder, model, threads):
        for name in ("libggml-base*.so*", "libggml.v*.so*", "libggml.so*"):
            for path in glob.glob(f"{folder}/{name}"):
                ggml = c.CDLL(path, c.RTLD_GLOBAL)
        self.lib = lib = c.CDLL(sorted(glob.glob(f"{folder}/libllama.*so*"))[0], c.RTLD_GLOBAL)
        log = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)
        self.quiet = log(lambda level, text, data: None)
        lib.llama_log_set(self.quiet, None)
        ggml.ggml_backend_load_all_from_path.argtypes = [c.c_char_p]
        ggml.ggml_backend_load_all_from_path(str(folder).encode())
        for name in ("llama_model_default_params", "llama_context_default_params"):
            getattr(lib, name).restype = Blob
        lib.llama_model_load_from_file.restype = c.c_void_p
        lib.llama_model_load_from_file.argtypes = [c.c_char_p, Blob]
        lib.llama_init_from_model.restype = c.c_void_p
        lib.llama_init_from_model.argtypes = [c.c_void_p, Blob]
        lib.llama_batch_get_one.restype = Blob
        lib.llama_batch_get_one.argtypes = [c.POINTER(c.c_int32), c.c_int32]
        lib.llama_decode.argtypes = [c.c_void_p, Blob]
        lib.llama_get_logits_ith.restype = c.POINTER(c.c_float)
        lib.llama_get_logits_ith.argtypes = [c.c_void_p, c.c_int32]
        lib.llama_set_n_threads.argtypes = [c.c_void_p, c.c_int32, c.c_int32]
        lib.llama_get_memory.restype = c.c_void_p
        lib.llama_get_memory.argtypes = [c.c_void_p]
        lib.llama_memory_clear.argtypes = [c.c_void_p, c.c_bool]
        lib.llama_synchronize.argtypes = [c.c_void_p]
        self.model = lib.llama_model_load_from_file(str(model).encode(), lib.llama_model_default_params())
        if not self.model:
            sys.exit(f"llama.cpp does not open {model}")
        self.ctx = lib.llama_init_from_model(self.model, lib.llama_context_default_params())
        lib.llama_set_n_threads(self.ctx, threads, threads)
        self.place = 0

    def step(self, count):
        ids = (c.c_int32 * count)(*[token(self.place + i) for i in range(count)])
        if self.lib.llama_decode(self.ctx, self.lib.llama_batch_get_one(ids, count)) != 0:
            sys.exit("llama_decode failed")
        self.lib.llama_synchronize(self.ctx)
        self.place += count

    def prefill(self, count):
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.ctx), True)
        self.place = 0
        start = time.perf_counter()
        self.step(count)
        return time.perf_counter() - start

    def decode(self, count):
        start = time.perf_counter()
        for _ in range(count):
            self.step(1)
        return time.perf_counter() - start

    def logits(self, count):
        self.prefill(count)
        return list(self.lib.llama_get_logits_ith(self.ctx, -1)[:VOCAB])


class Ours:
    def __init__(self, program, model, cache, threads, form="bf16"):
        env = dict(os.environ, XDG_CACHE_HOME=str(cache))
        self.run = subprocess.Popen([program, model, form, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    text=True, env=env)
        if self.run.stdout.readline() != "ready\n":
            sys.exit("the engine does not open the file")

    def ask(self, line):
        self.run.stdin.write(line + "\n")
        self.run.stdin.flush()
        return float(self.run.stdout.readline())

    def prefill(self, count):
        return self.ask(f"prefill {count}")

    def decode(self, count):
        return self.ask(f"decode {count}")

    def logits(self, count, path):
        import numpy as np
        self.ask(f"logits {count} {path}")
        self.ask("prefill 1")  # the file is whole when the next answer comes
        return np.fromfile(path, np.float32)

    def close(self):
        self.run.stdin.close()
        self.run.wait()


def one_turn(engine, prompt, decode):
    """Tokens a second: decode, prefill."""
    fill, speak, count = engine.prefill(prompt), 0, 0
    while count < decode and speak < LIMIT:
        speak += engine.decode(1)
        count += 1
    return count / speak, prompt / fill


def summary(turns):
    """Medians and bests of [ours, llama.cpp] by turns, and the ratio turn by turn."""
    got = {(who, what): (statistics.median(t[who][what] for t in turns), max(t[who][what] for t in turns))
           for who in (0, 1) for what in (0, 1)}
    return {**got, "ratio": [statistics.median(t[0][what] / t[1][what] for t in turns) for what in (0, 1)]}


def measure(ours, theirs, turns, prompt, others=()):
    """Alone; with others also beside them, by turns: they are stopped in between."""
    alone, beside, began = [], [], time.perf_counter()
    for engine in (ours, theirs):
        one_turn(engine, 8, 1)  # touches memory
    for _ in range(turns):
        alone.append([one_turn(engine, prompt, DECODE) for engine in (ours, theirs)])
        if others:
            signal_all(others, signal.SIGCONT)
            beside.append([one_turn(engine, prompt, DECODE) for engine in (ours, theirs)])
            signal_all(others, signal.SIGSTOP)
        if time.perf_counter() - began > PHASE:
            break
    return summary(alone), summary(beside) if others else None


def signal_all(processes, what):
    for process in processes:
        process.send_signal(what)
    time.sleep(0.05)  # until they are spread over the processors


def peak(build, threads):
    """GFLOP/s of loops of nothing but products, by name."""
    out = subprocess.run([f"{build}/tests/model/glm/bench_engine_peak", str(threads)], capture_output=True, text=True)
    words = out.stdout.split()
    return {name: float(value) for name, value in zip(words[2::2], words[3::2])}


def share(kind, layers, got, most):
    """Both prompts as shares of the processor's products; the head is left out, only one token needs it."""
    work = 2e-9 * layers * (H * (2 * HEADS + 2 * KV) * DIM + 3 * H * INNER)
    for name in ("bf16",) if kind == "BF16" else ("int8", "scaled"):
        if name in most:
            ours, theirs = (100 * got[who, 1][0] * work / most[name] for who in (0, 1))
            print(f"  prefill  of {most[name]:.0f} GFLOP/s ({name}) ours {ours:.0f} %, llama.cpp {theirs:.0f} %; "
                  f"twice llama.cpp's is {2 * theirs:.0f} %", flush=True)


def show(label, got):
    print(f"{label}, load {os.getloadavg()[0]:.0f}")
    for what, name in enumerate(("decode", "prefill")):
        (a, best_a), (b, best_b) = got[0, what], got[1, what]
        print(f"  {name:8} ours {a:8.1f} tokens/s (best {best_a:.1f}), llama.cpp {b:8.1f} (best {best_b:.1f}); "
              f"ratio {got['ratio'][what]:.2f} (of the best {best_a / best_b:.2f})", flush=True)


def compare(kind, threads, args, folder):
    import numpy as np
    text = folder / f"bench{args.layers}-{kind}.gguf"
    if not text.exists():
        write_tower(folder / f"mmproj-{text.name}")
        write_text(text.with_suffix(".part"), kind, args.layers)
        text.with_suffix(".part").rename(text)
    program = f"{args.build}/tests/model/glm/bench_engine_turns"
    ours = Ours(program, str(text), folder / "cache", threads, args.form)
    theirs = Llama(args.llama, text, threads)
    form = "" if args.form == "bf16" else f", ours as {args.form}"
    print(f"{kind}{form}, {args.layers} layers, {text.stat().st_size / 1e9:.2f} GB, threads: {threads}")
    exact = Ours(program, str(text), folder / "cache", threads, "floats")
    x = exact.logits(64, folder / "logits")
    exact.close()
    a, b = ours.logits(64, folder / "logits"), np.array(theirs.logits(64), np.float32)
    off = [np.linalg.norm(u - v) / np.linalg.norm(v) for u, v in ((a, b), (a, x), (b, x))]
    print(f"  logits: ours and llama.cpp's differ by {off[0]:.4f} of their length; from those with unpacked weights ours by "
          f"{off[1]:.4f}, llama.cpp's by {off[2]:.4f}; the largest is "
          f"{'the same' if a.argmax() == b.argmax() else 'another one'}", flush=True)
    processors = len(os.sched_getaffinity(0))
    for each in (0,) if args.quiet else args.busy:
        count = each * processors
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
        signal_all(others, signal.SIGSTOP)
        try:
            alone, beside = measure(ours, theirs, args.turns, args.prompt, others)
        finally:
            for process in others:
                process.kill()
                process.wait()
        show("  alone", alone)
        share(kind, args.layers, alone, peak(args.build, threads))
        if beside:
            show(f"  beside {count} busy processes, by turns", beside)
            fair(alone, beside, min(1, processors / (threads + count)))
    ours.close()


def fair(alone, beside, equal):
    """equal: what equal shares of the processors leave of the rate."""
    for what, name in enumerate(("decode", "prefill")):
        kept = [beside[who, what][0] / alone[who, what][0] for who in (0, 1)]
        print(f"  {name:8} keeps {100 * kept[0]:.0f} % of its rate alone, llama.cpp {100 * kept[1]:.0f} %; an equal share is "
              f"{100 * equal:.0f} %", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("llama")
    p.add_argument("folder")
    p.add_argument("--layers", type=int, default=4)
    p.add_argument("--threads", default=f"1,{len(os.sched_getaffinity(0))}")
    p.add_argument("--types", default="Q4_0,Q4_K_M,BF16")
    p.add_argument("--turns", type=int, default=15)
    p.add_argument("--prompt", type=int, default=64, help="tokens, 480 at most")
    p.add_argument("--form", default="bf16", help="ours: bf16 (as in the file), int8, int4, int4-g128")
    p.add_argument("--busy", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2],
                   help="busy processes for each processor, by turns with none")
    p.add_argument("--quiet", action="store_true", help="without busy processes: for use with chrt -f")
    args = p.parse_args()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for kind in args.types.split(","):
        for threads in args.threads.split(","):
            compare(kind, int(threads), args, folder)
    sys.stdout.flush()
    os._exit(0)  # the library's threads are not waited for


if __name__ == "__main__":
    main()
