#!/usr/bin/env python3
"""What others reach on the card, for gpu.sh; 77 where torch or transformers cannot be imported or see no device.

    gpu_peer.py product [small]  TFLOP/s of 8192^3 in bf16 by torch (cuBLAS), then lines for the products of the model
    gpu_peer.py decode [small]   tokens a second of transformers, random bf16 weights of the published sizes, 512 tokens
                                 before; greedy, with its cache, as it comes
small: tiny sizes, on the processor where there is no device, to try this program itself.
"""
import sys
import time

small = sys.argv[2:] == ["small"]
try:
    import torch
except ImportError:
    sys.exit(77)
if not torch.cuda.is_available() and not small:
    sys.exit(77)
device = "cuda" if torch.cuda.is_available() else "cpu"


def wait():
    if device == "cuda":
        torch.cuda.synchronize()


def seconds(run, turns=20):
    times = []
    for _ in range(2 if small else turns):
        wait()
        start = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def rate(n, rows, cols):
    """Operations a second of x [n][cols] times w [rows][cols]."""
    x, w = (torch.randn(count, cols, device=device, dtype=torch.bfloat16) for count in (n, rows))
    many = 1 if small else 10  # between two waits, so that these are not measured
    return 2 * n * rows * cols * many / seconds(lambda: [x @ w.T for _ in range(many)]) / 1e12


def product():
    side = 64 if small else 8192
    rate(side, side, side)  # a library that is loaded, clocks that are up
    print(f"{rate(side, side, side):.3f}")
    for n, rows, cols in ((2991, 4608, 4096), (2991, 4096, 4096), (2991, 27392, 4096), (2991, 4096, 13696),
                          (24336, 4608, 1536), (24336, 8192, 1536), (24336, 1536, 4096)):
        size = (n // 64, rows // 64, cols // 64) if small else (n, rows, cols)
        print(f"| {f'cuBLAS {n} x {rows} x {cols}':46} | {rate(*size):9.3f} TFLOP/s  |         |         |         |")


def decode():
    try:
        from transformers import Glm4vConfig, Glm4vForConditionalGeneration
    except ImportError:
        sys.exit(77)
    rope = {"rope_type": "default", "rope_theta": 500000.0, "partial_rotary_factor": 0.5, "mrope_section": [8, 12, 12]}
    text = dict(hidden_size=4096, num_hidden_layers=40, num_attention_heads=32, num_key_value_heads=2, head_dim=128,
                intermediate_size=13696, vocab_size=151552, max_position_embeddings=131072, rope_parameters=rope)
    vision = {}
    if small:
        text.update(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                    intermediate_size=96)
        rope["mrope_section"] = [1, 1, 2]
        vision = dict(depth=1, hidden_size=32, num_heads=2, out_hidden_size=64, intermediate_size=64)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        model = Glm4vForConditionalGeneration(Glm4vConfig(text_config=text, vision_config=vision)).eval()
    context = 16 if small else 512
    ids = torch.randint(100, 150000, (1, context), device=device)
    few, many = (2, 6) if small else (8, 136)

    def run(count):
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, min_new_tokens=count,
                       do_sample=False, pad_token_id=0)
    with torch.inference_mode():
        run(few)
        print(f"{(many - few) / (seconds(lambda: run(many), 3) - seconds(lambda: run(few), 3)):.3f}")


{"product": product, "decode": decode}[sys.argv[1]]()
