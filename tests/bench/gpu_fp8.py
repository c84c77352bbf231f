#!/usr/bin/env python3
"""What a product loses when its inputs, too, become e4m3 (as the tensor cores of compute capability 8.9 and 9.0 want it
for their fp8 products), beside weights in e4m3 and bf16 inputs, which is what the engine does. Needs numpy, no GPU.

Relative error of x w^T, 4096 columns, against exact numbers: weights sigma 0.02, a scale for each row of both; inputs
normal, or with 0.5 % of the columns 20 times as large, as activations of such models have them.
"""
import numpy as np


def e4m3(x, rows):
    """Nearest e4m3 after a scale for each row that makes its largest 448."""
    scale = np.abs(x).max(axis=1, keepdims=True) / 448 if rows else np.abs(x).max() / 448
    y = x / scale
    step = 2.0 ** np.maximum(np.floor(np.log2(np.maximum(np.abs(y), 1e-30))) - 3, -9)
    return np.round(y / step) * step * scale


def bf16(x):
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32).astype(np.float64)


def off(got, want):
    return np.linalg.norm(got - want) / np.linalg.norm(want)


random = np.random.default_rng(1)
w = bf16(0.02 * random.standard_normal((512, 4096)))
for name, large in (("normal inputs", 1), ("some columns 20 times as large", 20)):
    x = random.standard_normal((256, 4096))
    x[:, random.random(4096) < 0.005] *= large
    want = x @ w.T
    print(f"{name}: bf16 inputs and weights {off(bf16(x) @ w.T, want):.2e}, fp8 weights {off(bf16(x) @ e4m3(w, True).T, want):.2e}, "
          f"fp8 inputs alone {off(e4m3(x, True) @ w.T, want):.2e}, both {off(e4m3(x, True) @ e4m3(w, True).T, want):.2e}")
