#!/usr/bin/env python3
"""What others reach on the card, for gpu.sh: one number, or an exit code.

    gpu_peer.py product      TFLOP/s of 8192^3 in bf16 by torch (cuBLAS)
    gpu_peer.py decode       tokens a second of transformers, random bf16 weights of the published sizes, 512 tokens before
"""
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(77)
if not torch.cuda.is_available():
    sys.exit(77)


def seconds(run, turns=20):
    times = []
    for _ in range(turns):
        torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times)[turns // 2]


def product():
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * 8192**3 / seconds(lambda: a @ b) / 1e12


def decode():
    try:
        from transformers import Glm4vConfig, Glm4vForConditionalGeneration
    except ImportError:
        sys.exit(77)
    rope = {"rope_type": "default", "rope_theta": 500000, "partial_rotary_factor": 0.5, "mrope_section": [8, 12, 12]}
    text = dict(hidden_size=4096, num_hidden_layers=40, num_attention_heads=32, num_key_value_heads=2, vocab_size=151552,
                intermediate_size=13696, rope_parameters=rope, rope_scaling=rope, rope_theta=500000, partial_rotary_factor=0.5)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = Glm4vForConditionalGeneration(Glm4vConfig(text_config=text)).eval()
    ids = torch.randint(100, 150000, (1, 512), device="cuda")
    few, many = 8, 136
    def run(count):
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, min_new_tokens=count,
                       do_sample=False)
    with torch.inference_mode():
        run(few)
        return (many - few) / (seconds(lambda: run(many), 3) - seconds(lambda: run(few), 3))


print(f"{product() if sys.argv[1] == 'product' else decode():.3f}")
