#!/usr/bin/env python3
"""The client against llama.cpp's own server with two tiny GLM-4V models.

  real_llama.py LLAMA_CPP SERVER [PYTHON]

LLAMA_CPP is its source (for the converter; the source package of llama-cpp-python holds it in vendor/llama.cpp), SERVER the
program llama-server, PYTHON has torch, transformers, safetensors and gguf. One model has random weights: pictures matter
to it. The other one says the same tool call whatever it is asked, so that the whole way of a call can be looked at.
Exit code 77 when the packages are not there."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

if len(sys.argv) < 3:
    print("skipped: real_llama.py LLAMA_CPP SERVER [PYTHON]")
    sys.exit(77)
LLAMA, SERVER = sys.argv[1:3]
PYTHON = sys.argv[3] if len(sys.argv) > 3 else sys.executable
GLMV = os.environ.get("GLMV", "build/release/replicate/glmv-replicate")
NANO = "tests/model/glm/golden/nano"
bad = 0

CHAIN = r'''
import json, shutil, sys
from safetensors.torch import load_file, save_file
nano, out, scripted = sys.argv[1:]
tok = json.load(open(nano + "/tokenizer.json"))
config = json.load(open(nano + "/config.json"))
config["text_config"]["max_position_embeddings"] = 32768
json.dump(config, open(out + "/config.json", "w"))
shutil.copy(nano + "/preprocessor_config.json", out)
ids = {a["content"]: a["id"] for a in tok["added_tokens"]}
vocab = tok["model"]["vocab"]
w = {}
for part in "12":
    w.update(load_file("%s/model-0000%s-of-00002.safetensors" % (nano, part)))
if scripted == "yes":  # every token has one that follows; attention and feed-forward add nothing
    free = max(ids.values()) + 1
    for text in ("crop\n", "box", "[0, 0, 500, 500]", "\n"):
        tok["added_tokens"].append({"id": free, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                                    "normalized": False, "special": False})
        ids[text] = free
        free += 1
    steps = ["<|assistant|>", "<tool_call>", "crop\n", "<arg_key>", "box", "</arg_key>", "\u010a", "<arg_value>",
             "[0, 0, 500, 500]", "</arg_value>", "\n", "</tool_call>", "<|endoftext|>"]
    steps = [ids.get(t, vocab.get(t)) for t in steps]
    embed = [k for k in w if "embed_tokens" in k][0]
    head = [k for k in w if k.startswith("lm_head")][0]
    w[embed].zero_()
    w[head].zero_()
    w[embed][:, 60] = 1
    for i, t in enumerate(steps):
        w[embed][t].zero_()
        w[embed][t, i] = 1
    for i, t in enumerate(steps[1:]):
        w[head][t, i] = 4
    w[head][steps[-1], 60] = 4
    w[head][steps[-1], len(steps) - 1] = 4
    for k in w:
        if "language_model" in k and ("o_proj" in k or "down_proj" in k):
            w[k].zero_()
        if k.endswith("language_model.norm.weight"):
            w[k].fill_(1)
json.dump(tok, open(out + "/tokenizer.json", "w"))
json.dump({"eos_token_id": ids["<|endoftext|>"]}, open(out + "/generation_config.json", "w"))
save_file({k: v.contiguous() for k, v in w.items()}, out + "/model.safetensors", metadata={"format": "pt"})
'''

CONVERT = r'''
import runpy, sys
root, folder, out = sys.argv[1:]
sys.path[:0] = [root, root + "/gguf-py"]
import conversion.base as base
base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "glm4"  # the tiny vocabulary is known to nobody
for name, extra in (("model.gguf", []), ("mmproj.gguf", ["--mmproj"])):
    sys.argv = ["convert", folder, "--outfile", out + "/" + name, "--outtype", "f32", *extra]
    runpy.run_path(root + "/convert_hf_to_gguf.py", run_name="__main__")
'''


def check(ok, what):
    global bad
    print("%s  %s" % ("ok    " if ok else "FAILED", what.strip().replace("\n", " | ")[:300]))
    bad += not ok


def make(tmp, scripted):
    folder, out = "%s/%s" % (tmp, scripted), "%s/%s-gguf" % (tmp, scripted)
    os.mkdir(folder)
    os.mkdir(out)
    for code, args in ((CHAIN, [NANO, folder, scripted]), (CONVERT, [os.path.abspath(LLAMA), folder, out])):
        done = subprocess.run([PYTHON, "-c", code, *args], capture_output=True, text=True)
        if done.returncode != 0:
            print("skipped:", done.stderr.strip().split("\n")[-1])
            sys.exit(77)
    return out


class Server:
    def __init__(self, folder, *more, see=True):
        template = LLAMA + "/models/templates/GLM-4.6.jinja"
        self.log = open(folder + "/server.log", "w+")
        self.port = 18000 + os.getpid() % 2000
        self.process = subprocess.Popen(
            [SERVER, "-m", folder + "/model.gguf", *(["--mmproj", folder + "/mmproj.gguf"] if see else []), "--host",
             "127.0.0.1", "--port", str(self.port), "-c", "32768", "-np", "1", "-t", "2", "--jinja",
             "--chat-template-file", template, *more], stdout=self.log, stderr=subprocess.STDOUT)
        self.url = "http://127.0.0.1:%d/v1" % self.port
        for _ in range(600):
            try:
                urllib.request.urlopen("http://127.0.0.1:%d/health" % self.port, timeout=2)
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        print("FAILED  the server did not start:", self.said()[-2000:])
        sys.exit(1)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def glmv(*args, seconds=300):
    done = subprocess.run([GLMV, *args], capture_output=True, text=True, timeout=seconds, errors="replace")
    return done.returncode, done.stdout, done.stderr


def with_pictures(tmp, shot, folder):
    server = Server(folder)
    model = ("--model", server.url)
    code, out, err = glmv("models", *model)
    check(code == 0 and "llama-server at" in err + out and "\t32768" in out, "models: %s%s" % (err, out))
    question = ("What is this?", "--max-tokens", "24", "--temperature", "0", *model)
    code, out, err = glmv("ask", shot, *question)
    check(code == 0 and out.strip() != "", "a picture and a stream: %d %r" % (code, out))
    check("limit of tokens" in err, "cut at --max-tokens: %s" % err)
    check(glmv("ask", shot, *question)[1] == out, "the same question has the same answer at temperature 0")
    other = tmp + "/other.png"
    subprocess.run([GLMV, "render", "-", "-o", other, "--viewport", "196x140"], check=True,
                   input=b"<body style='background:#204080'></body>")
    check(glmv("ask", other, *question)[1] != out, "another picture has another answer")
    process = subprocess.Popen([GLMV, "ask", shot, "Count.", "--max-tokens", "20000", "--temperature", "0", *model],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = os.read(process.stdout.fileno(), 1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    check(first != b"" and process.returncode == 130 and time.monotonic() - began < 3,
          "cancel in the middle of an answer: %d after %.2f s" % (process.returncode, time.monotonic() - began))
    check(glmv("ask", shot, *question)[1] == out, "the server goes on")
    code, out, err = glmv(shot, "-o", tmp + "/none.html", "--rounds", "1", "--max-tokens", "40", *model)
    check(code == 4 and not os.path.exists(tmp + "/none.html"), "no page in the answer: %d %s" % (code, err))
    server.stop()
    server = Server(folder, see=False)
    code, out, err = glmv("ask", shot, "What?", "--max-tokens", "8", "--model", server.url)
    check(code == 4 and "cannot see pictures" in err, "a model without eyes: %d %s" % (code, err))
    server.stop()
    server = Server(folder, "-c", "600")
    code, out, err = glmv("ask", shot, "word " * 2000, "--model", server.url)
    check(code == 4 and "do not fit the model's context" in err, "too long: %d %s" % (code, err))
    server.stop()


def with_tools(tmp, shot, folder):
    server = Server(folder)
    code, out, err = glmv(shot, "-o", tmp + "/tools.html", "--tools", "--rounds", "0", "--max-tokens", "60", "--temperature",
                          "0", "--model", server.url)
    said = server.said()
    calls = len(re.findall(r"launch_slot_.*processing task", said))
    # Twice (a draft has a second chance) eight calls, and what is said when none are left.
    check(code == 4 and calls == 18, "calls are made, answered and bounded: %d, %d answers, %s" % (code, calls, err))
    tool = {"type": "function", "function": {"name": "crop", "parameters": {
        "type": "object", "properties": {"box": {"type": "array", "items": {"type": "number"}}}, "required": ["box"]}}}
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "tools": [tool], "temperature": 0, "max_tokens": 60})
    reply = json.load(urllib.request.urlopen(urllib.request.Request(
        server.url + "/chat/completions", body.encode(), {"Content-Type": "application/json"})))
    call = reply["choices"][0]["message"]["tool_calls"][0]["function"]
    check(call["name"] == "crop" and json.loads(call["arguments"]) == {"box": [0, 0, 500, 500]}, "the model calls: %s" % call)
    server.stop()


def main():
    version = subprocess.run([SERVER, "--version"], capture_output=True, text=True)
    print("llama.cpp", (version.stdout + version.stderr).split("\n")[0])
    tmp = tempfile.mkdtemp(prefix="glmv-llama-")
    try:
        shot = tmp + "/shot.png"
        subprocess.run([GLMV, "render", "-", "-o", shot, "--viewport", "196x140"], check=True,
                       input=b"<!DOCTYPE html><html><body><h1>Hello</h1></body></html>\n")
        with_pictures(tmp, shot, make(tmp, "no"))
        with_tools(tmp, shot, make(tmp, "yes"))
    finally:
        shutil.rmtree(tmp)
    print("%d checks failed" % bad)
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
