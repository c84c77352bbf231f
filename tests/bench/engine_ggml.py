#!/usr/bin/env python3
"""ggml's CPU matrix product on the shapes of bench_engine: Q4_0 and BF16, 27392 x 4096, 1 and 32 rows, best of 15.

Needs the libraries of llama.cpp, for example the package @node-llama-cpp/linux-x64 unpacked:
    npm pack @node-llama-cpp/linux-x64 && tar xzf node-llama-cpp-linux-x64-*.tgz
    tests/bench/engine_ggml.py package/bins/linux-x64 [THREADS [VARIANT]]
Plain products: llama.cpp also knows a repacked layout of Q4_0 that this does not use.
"""
import ctypes as c, glob, os, sys, time
import random

folder, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
variant = sys.argv[3] if len(sys.argv) > 3 else "zen4"
base = c.CDLL(glob.glob(f"{folder}/libggml-base*.so*")[0], c.RTLD_GLOBAL)
cpu = c.CDLL(f"{folder}/libggml-cpu-{variant}.so", c.RTLD_GLOBAL)
P, I64 = c.c_void_p, c.c_int64
ROWS, COLS, Q4_0, BF16, F32 = 27392, 4096, 2, 30, 0


class Init(c.Structure):
    _fields_ = [("size", c.c_size_t), ("buffer", P), ("no_alloc", c.c_bool)]


def fn(lib, name, result, *args):
    f = getattr(lib, name)
    f.restype, f.argtypes = result, args
    return f


init = fn(base, "ggml_init", P, Init)
new = fn(base, "ggml_new_tensor_2d", P, P, c.c_int, I64, I64)
product = fn(base, "ggml_mul_mat", P, P, P, P)
graph_new = fn(base, "ggml_new_graph", P, P)
expand = fn(base, "ggml_build_forward_expand", None, P, P)
data = fn(base, "ggml_get_data", P, P)
nbytes = fn(base, "ggml_nbytes", c.c_size_t, P)
quantize = fn(base, "ggml_quantize_chunk", c.c_size_t, c.c_int, P, P, I64, I64, I64, P)
compute = fn(cpu, "ggml_graph_compute_with_ctx", c.c_int, P, P, c.c_int)
fn(cpu, "ggml_cpu_init", None)()

random.seed(1)
line = (c.c_float * COLS)(*[random.gauss(0, 0.02) for _ in range(COLS)])
print(f"{threads} threads, {variant}")
for name, kind in (("BF16", BF16), ("Q4_0", Q4_0)):
    times = {}
    for n in (1, 32):
        ctx = init(Init(700 << 20, None, False))
        w, x = new(ctx, kind, COLS, ROWS), new(ctx, F32, COLS, n)
        place = c.create_string_buffer(COLS * 2)
        row = quantize(kind, line, place, 0, 1, COLS, None)
        for r in range(ROWS):
            c.memmove(data(w) + r * row, place, row)
        for r in range(n):
            c.memmove(data(x) + r * COLS * 4, line, COLS * 4)
        graph = graph_new(ctx)
        expand(graph, product(ctx, w, x))
        times[n] = 1e9
        for _ in range(15):
            start = time.perf_counter()
            assert compute(ctx, graph, threads) == 0
            times[n] = min(times[n], time.perf_counter() - start)
        size = nbytes(w)
        fn(base, "ggml_free", None, P)(ctx)
    print(f"{name}: {size / times[1] / 1e9:.1f} GB/s, {times[1] * 1e3:.2f} ms for 1 row, {times[32] * 1e3:.1f} ms for 32; "
          f"{64e-9 * ROWS * COLS / times[32]:.0f} GFLOP/s")
