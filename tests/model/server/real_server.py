#!/usr/bin/env python3
"""The client against a real server on this machine: transformers serve with a tiny random LLaVA
(GLM-4V's processor wants Torchvision besides).

  real_server.py [PYTHON]    PYTHON has torch, transformers, fastapi, uvicorn and openai

Random weights say nothing sensible; what is looked at is the protocol: the list of models, streams, pictures, tools,
usage, an answer cut off at --max-tokens, and that a stopped request leaves the server working. Exit code 77 when the
packages are not there."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PYTHON = sys.argv[1] if len(sys.argv) > 1 else sys.executable
GLMV = os.environ.get("GLMV", "build/release/replicate/glmv-replicate")
NANO = "tests/model/glm/golden/nano"
TEMPLATE = (
    "[gMASK]<sop>{% if tools %}<|system|>\n{{ tools | tojson }}{% endif %}"
    "{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for c in m.content %}{% if c.type in ('image', 'image_url') %}<|begin_of_image|><|image|><|end_of_image|>"
    "{% elif c.type == 'text' %}{{ c.text }}{% endif %}{% endfor %}{% endif %}"
    "{% elif m.role == 'assistant' %}<|assistant|>\n{{ m.content }}"
    "{% elif m.role == 'system' %}<|system|>\n{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}")
bad = 0


def check(ok, what):
    global bad
    print("%s  %s" % ("ok    " if ok else "FAILED", what.strip().replace("\n", " | ")[:300]))
    bad += not ok


MAKE = r"""
import sys, torch
from transformers import (CLIPImageProcessor, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration,
                          LlavaProcessor, PreTrainedTokenizerFast)
nano, out, template, scripted = sys.argv[1:]
# Word 767 never comes first, so no answer is empty.
tok = PreTrainedTokenizerFast(tokenizer_file=nano + '/tokenizer.json', eos_token='<|endoftext|>', pad_token='<|endoftext|>',
                              model_max_length=4096)
if scripted == 'yes':  # text of one token each, and what serve makes of it
    tok.add_tokens(['{"name": "crop", "arguments": {"box": [0, 0, 500, 500]}}'])
    tok.response_template = {
        'defaults': {'role': 'assistant'}, 'start_anchor': '<|assistant|>\n', 'fields': {
            'tool_calls': {'open_pattern': r'\s*<tool_call>', 'close': '</tool_call>', 'repeats': True, 'content': 'json',
                           'transform': {'type': 'function', 'function': '{content}'}},
            'content': {'close_pattern': r'\s*(?:<\|endoftext\|>)', 'content': 'text'}}}
image = tok.convert_tokens_to_ids('<|image|>')
torch.manual_seed(7)
cfg = LlavaConfig(
    vision_config=CLIPVisionConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                                   image_size=56, patch_size=14),
    text_config=LlamaConfig(vocab_size=768, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
                            num_attention_heads=4, max_position_embeddings=4096, eos_token_id=767, pad_token_id=0),
    image_token_index=image, image_seq_length=16, vision_feature_layer=-1)
model = LlavaForConditionalGeneration(cfg).eval()
with torch.no_grad():
    for p in model.parameters():
        if p.dim() > 1:
            p.normal_(0, 0.3)
if scripted == 'yes':  # every token has one that follows; attention and feed-forward add nothing
    chain = [tok.convert_tokens_to_ids(t) for t in (chr(0x10a), '<tool_call>',
             '{"name": "crop", "arguments": {"box": [0, 0, 500, 500]}}', '</tool_call>')] + [767]
    embed, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        embed.zero_(); head.zero_()
        embed[:, 60] = 1
        for i, t in enumerate(chain):
            embed[t].zero_(); embed[t, i] = 1
        for i, t in enumerate(chain[1:]):
            head[t, i] = 4
        head[767, 60] = 4
        for name, p in model.named_parameters():
            if 'language_model' in name and ('o_proj' in name or 'down_proj' in name):
                p.zero_()
model.generation_config.eos_token_id = 767
model.save_pretrained(out)
LlavaProcessor(image_processor=CLIPImageProcessor(size={'shortest_edge': 56}, crop_size={'height': 56, 'width': 56}),
               tokenizer=tok, patch_size=14, vision_feature_select_strategy='default', chat_template=template,
               image_token='<|image|>', num_additional_image_tokens=1).save_pretrained(out)
"""


def checkpoint(folder, scripted="no"):
    done = subprocess.run([PYTHON, "-c", MAKE, NANO, folder, TEMPLATE, scripted], capture_output=True, text=True)
    if done.returncode != 0:
        print("FAILED  no checkpoint:", done.stderr[-2000:])
        sys.exit(1)


def glmv(*args, seconds=300):
    done = subprocess.run([GLMV, *args], capture_output=True, text=True, timeout=seconds, errors="replace")
    return done.returncode, done.stdout, done.stderr


def start(folder, log):
    os.makedirs(folder + "/../cache/hub", exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PYTHON, "-c", "import sys; from transformers.cli.transformers import main; sys.argv[0] = "
               "'transformers'; main()", "serve", folder, "--host", "127.0.0.1", "--port", str(port),
               "--device", "cpu"]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT,
                              env=dict(os.environ, HF_HUB_OFFLINE="1", HF_HOME=folder + "/../cache", OMP_NUM_THREADS="2"))
    for _ in range(1200):
        if server.poll() is not None:
            return None, None
        try:
            urllib.request.urlopen("http://127.0.0.1:%d/health" % port, timeout=2)
            return server, "http://127.0.0.1:%d/v1" % port
        except OSError:
            time.sleep(0.2)
    server.terminate()
    return None, None


def stop(server):
    if server is not None:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def main():
    versions = subprocess.run([PYTHON, "-c", "import torch, transformers, fastapi, uvicorn, openai\n"
                               "print('transformers', transformers.__version__, 'torch', torch.__version__, 'fastapi', "
                               "fastapi.__version__, 'uvicorn', uvicorn.__version__)"], capture_output=True, text=True)
    if versions.returncode != 0:
        print("skipped:", versions.stderr.strip().split("\n")[-1])
        sys.exit(77)
    print(versions.stdout.strip())
    tmp = tempfile.mkdtemp(prefix="glmv-real-")
    folder = tmp + "/nano"
    checkpoint(folder)
    log = open(tmp + "/server.log", "w+")
    server, url = start(folder, log)
    if server is None:
        log.seek(0)
        print("FAILED  the server did not start:", log.read()[-3000:])
        sys.exit(1)
    shot = tmp + "/shot.png"
    open(tmp + "/page.html", "w").write("<!DOCTYPE html><html><body><h1>Hello</h1></body></html>\n")
    try:
        model = ("--model", url, "--model-name", folder)
        code, out, err = glmv("models", "--model", url)
        # It lists what lies in its cache, which a folder given by its path does not.
        check("OpenAI-compatible server at" in out + err and code in (0, 4), "models: %d %s%s" % (code, out, err))
        subprocess.run([GLMV, "render", tmp + "/page.html", "-o", shot, "--viewport", "196x140"], check=True)
        code, out, err = glmv("ask", shot, "What is this?", "--max-tokens", "24", "--temperature", "0", *model)
        check(code == 0 and len(out.strip()) > 0, "a picture and a stream: %d %r %s" % (code, out, err))
        again = glmv("ask", shot, "What is this?", "--max-tokens", "24", "--temperature", "0", *model)
        check(again[1] == out, "the same question has the same answer at temperature 0")
        other = tmp + "/other.png"
        subprocess.run([GLMV, "render", "-", "-o", other, "--viewport", "196x140"], check=True,
                       input=b"<body style='background:#204080'></body>")
        code, out2, err = glmv("ask", other, "What is this?", "--max-tokens", "24", "--temperature", "0", *model)
        check(code == 0 and out2 != out, "another picture has another answer: %d %r" % (code, out2))
        # A page is asked for; random weights give none: one message, exit code 4, nothing written.
        code, out, err = glmv(shot, "-o", tmp + "/out.html", "--rounds", "1", "--max-tokens", "40", *model)
        check(code == 4 and not os.path.exists(tmp + "/out.html"), "no page in the answer: %d %s" % (code, err))
        # Cancel: the program ends at once and the server answers the next question.
        process = subprocess.Popen([GLMV, "ask", shot, "Count.", "--max-tokens", "3500", *model],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = os.read(process.stdout.fileno(), 1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        check(first != b"" and process.returncode == 130 and time.monotonic() - began < 3,
              "cancel in the middle of an answer: %d after %.2f s" % (process.returncode, time.monotonic() - began))
        code, out3, err = glmv("ask", shot, "What is this?", "--max-tokens", "24", "--temperature", "0", *model)
        check(code == 0 and out3 == again[1], "the server goes on: %d %s" % (code, err))
        code, out, err = glmv("ask", shot, "x", "--model", url, "--model-name", "/no/such/model")
        check(code == 4, "a model that is not there: %d %s" % (code, err))
        stop(server)
        # A model that says the same tool call whatever it is asked: made, answered with pictures, and bounded.
        folder = tmp + "/caller"
        checkpoint(folder, "yes")
        log.truncate(0)
        server, url = start(folder, log)
        code, out, err = glmv(shot, "-o", tmp + "/out.html", "--tools", "--rounds", "0", "--max-tokens", "40", "--temperature",
                              "0", "--model", url, "--model-name", folder)
        log.seek(0)
        answers = len(re.findall(r"POST /v1/chat/completions.*200", log.read()))
        # Twice (a draft has a second chance) eight calls, and what is said when none are left.
        check(code == 4 and answers == 18, "tool calls: %d, %d answers, %s" % (code, answers, err))
    finally:
        stop(server)
        log.seek(0)
        tail = log.read()[-1500:]
        shutil.rmtree(tmp)
    if bad:
        print("the server said:", tail)
    print("%d checks failed" % bad)
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
