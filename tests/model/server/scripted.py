#!/usr/bin/env python3
"""A scripted OpenAI-compatible server for tests: real HTTP, no model.

The first part of a path chooses the scenario: http://127.0.0.1:PORT/SCENARIO/v1 is the address that
a client is given. Each scenario is a dialect or a fault. It prints its port and serves until its
standard input closes. GET /log/SCENARIO returns the requests that a scenario saw, as JSON.

  scripted.py [--answers FOLDER] [--seed N]

The scenario "script" answers with FOLDER/1.txt, FOLDER/2.txt, ... in turn (the last one again and
again). The scenario "tools" makes the calls of FOLDER/calls.json, a list of lists of [name, arguments],
one list a request (the last one again and again), until it is offered no tools any more; then it
answers as "script" does. The scenario "faulty" fails in a random way for a third of the requests and otherwise answers
with FOLDER/1.txt. The scenario "then-FAULT" answers with FOLDER/draft.txt once and commits the fault from then on.
"""
import argparse
import collections
import json
import os
import random
import struct
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
LOG = collections.defaultdict(list)
ARGS = None
RANDOM = random.Random(1)


def delta(content=None, finish=None, **more):
    body = dict(more)
    if content is not None:
        body["content"] = content
    return {"id": "c", "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": body, "finish_reason": finish}]}


USAGE = {"id": "c", "choices": [], "usage": {
    "prompt_tokens": 321, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 300}}}


def png_size(uri):
    """Width and height of a data URI, after checking that it is a PNG with correct checksums."""
    import base64
    head = "data:image/png;base64,"
    assert uri.startswith(head), uri[:40]
    data = base64.b64decode(uri[len(head):], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, size = 8, None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        at += 12 + length
    return size


def pictures(body):
    found = []
    for message in body.get("messages", []):
        if isinstance(message.get("content"), list):
            for part in message["content"]:
                if part.get("type") == "image_url":
                    found.append(png_size(part["image_url"]["url"]))
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            pass  # the client hung up, or a fault closed the connection

    def log_message(self, *args):
        pass

    # -- writing ------------------------------------------------------------------------------

    def send_json(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def start_stream(self, kind="text/event-stream; charset=utf-8"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def raw(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, body):
        self.raw("data: " + (body if isinstance(body, str) else json.dumps(body)) + "\n\n")

    def end_stream(self):
        self.wfile.write(b"0\r\n\r\n")

    def stream_text(self, text, reasoning=None, field="reasoning_content", piece=16, finish="stop"):
        self.start_stream()
        self.event(delta(role="assistant"))
        for i in range(0, len(reasoning or ""), piece):
            self.event(delta(**{field: reasoning[i:i + piece]}))
        for i in range(0, len(text), piece):
            self.event(delta(text[i:i + piece]))
        self.event(delta(finish=finish))
        self.event(USAGE)
        self.event("[DONE]")
        self.end_stream()

    def drop(self):
        """Breaks the connection without an end."""
        self.wfile.flush()
        self.close_connection = True
        import socket
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    # -- requests -----------------------------------------------------------------------------

    def do_GET(self):
        _, scenario, *rest = self.path.split("/")
        if scenario == "log":
            with LOCK:
                self.send_json(200, LOG[rest[0]])
            return
        lists = {
            "vllm": [{"id": "glm-4.6v-flash", "owned_by": "vllm", "max_model_len": 65536}],
            "two": [{"id": "one"}, {"id": "two"}],
            "none": [],
            "ollama": [{"id": "glm", "owned_by": "library"}],
            "encoder": [{"id": "glm-4.6v", "owned_by": "vllm"}],
            "lmstudio": [{"id": "glm", "owned_by": "organization_owner"}],
        }
        if scenario == "garbage-list":
            self.send_json(200, b"<html>router login</html>")
        elif scenario == "wrong-key":
            self.send_json(401, {"error": {"message": "Incorrect API key provided: " + str(
                self.headers.get("Authorization", ""))[7:], "code": "invalid_api_key"}})
        elif scenario == "llama":
            self.send_json(200, {"object": "list", "models": [{"name": "m"}], "data": [
                {"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192}}]})
        elif scenario in lists:
            self.send_json(200, {"object": "list", "data": lists[scenario]})
        else:
            self.send_json(200, {"object": "list", "data": [{"id": "scripted"}]})

    def do_POST(self):
        _, scenario, *rest = self.path.split("/")
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if "/".join(rest) != "v1/chat/completions":
            self.send_json(404, {"detail": "Not Found"})
            return
        body = json.loads(data)
        seen = pictures(body)
        slim = json.loads(data)
        for message in slim.get("messages", []):
            if isinstance(message.get("content"), list):
                for part in message["content"]:
                    if "image_url" in part:
                        part["image_url"] = "%dx%d" % png_size(part["image_url"]["url"])
        with LOCK:
            LOG[scenario].append({"body": slim, "pictures": seen,
                                  "key": self.headers.get("Authorization")})
            turn = len(LOG[scenario])
        if scenario.startswith("then-"):  # FOLDER/draft.txt first, a fault from then on
            if turn == 1:
                with open(os.path.join(ARGS.answers, "draft.txt"), encoding="utf-8") as file:
                    self.stream_text(file.read(), piece=200)
                return
            scenario, turn = scenario[len("then-"):], turn - 1
        try:
            getattr(self, "do_" + scenario.replace("-", "_"), self.do_plain)(body, turn)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_plain(self, body, turn):
        self.stream_text("Hello, world: 你好 \U0001f600!")

    do_vllm = do_llama = do_lmstudio = do_plain

    # -- dialects -----------------------------------------------------------------------------

    def do_reasoning_content(self, body, turn):
        self.stream_text("Answer", "I think")

    def do_reasoning(self, body, turn):
        self.stream_text("Answer", "I think", "reasoning")

    def do_reasoning_both(self, body, turn):
        self.start_stream()
        self.event(delta(reasoning="I think", reasoning_content="I think"))
        self.event(delta("Answer", finish="stop"))
        self.event("[DONE]")
        self.end_stream()

    def do_think_tags(self, body, turn):
        self.stream_text("\n<think>I <b>think</b></think>Answer", piece=3)

    def do_think_close(self, body, turn):
        self.stream_text("I think</think>Answer", piece=3)

    def do_framing(self, body, turn):
        """Comments, CR, CRLF, no space, several data lines, a byte order mark, odd pieces."""
        first, second = json.dumps(delta("Hel")), json.dumps(delta("lo"), indent=1)
        last = json.dumps(delta(finish="stop"))
        text = "\ufeff: ping\r\nevent: message\r\nid: 1\r\ndata:%s\r\n\r\n" % first
        text += ": OPENROUTER PROCESSING\n\n" + "".join("data: %s\r" % l for l in second.split("\n"))
        text += "\rretry: 10\ndata: %s\n\n%s" % (last, "data: [DONE]")
        self.start_stream()
        for byte in text.encode():
            self.raw(bytes([byte]))
        self.end_stream()

    def do_split(self, body, turn):
        """One character over two events, as raw bytes and as halves of a surrogate pair."""
        self.start_stream()
        for part in ("a\u4f60b".encode()[:2], "a\u4f60b".encode()[2:]):
            self.raw(b'data: {"choices":[{"delta":{"content":"' + part + b'"}}]}\n\n')
        self.raw('data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n')
        self.raw('data: {"choices":[{"delta":{"content":"\\ud83d\\ude00"}}]}\n\n')
        self.event(delta(finish="stop"))
        self.end_stream()

    def do_no_done(self, body, turn):
        """The finish reason, then a connection that stays open."""
        self.start_stream()
        self.event(delta("Done"))
        self.event(delta(finish="stop"))
        time.sleep(8)

    def do_no_stream(self, body, turn):
        self.send_json(200, {"choices": [{"message": {"role": "assistant", "content": "Whole",
                             "reasoning_content": "thought"}, "finish_reason": "stop"}],
                             "usage": {"prompt_tokens": 5, "completion_tokens": 2}})

    def do_no_type(self, body, turn):
        self.start_stream("application/octet-stream")
        self.event(delta("Typeless", finish="stop"))
        self.end_stream()

    def do_calls(self, body, turn):
        self.start_stream()
        self.event(delta(tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": {
            "name": "crop", "arguments": ""}}]))
        for part in ('{"box":', '[1,2,', '3,4]}'):
            self.event(delta(tool_calls=[{"index": 0, "function": {"arguments": part}}]))
        self.event(delta(tool_calls=[{"index": 1, "id": "call_2", "function": {
            "name": "compare", "arguments": "{}"}}]))
        self.event(delta(finish="tool_calls"))
        self.event("[DONE]")
        self.end_stream()

    def do_tool_text(self, body, turn):
        """Takes no pictures in the answers to tool calls, as OpenAI's own server does not."""
        for message in body["messages"]:
            if message["role"] == "tool" and not isinstance(message["content"], str):
                self.send_json(400, {"error": {"message": "Invalid type for 'messages[2].content'", "code": 400}})
                return
        self.do_plain(body, turn)

    def do_strict(self, body, turn):
        """Refuses every field that is not in OpenAI's own list."""
        for name in ("stream_options", "chat_template_kwargs", "top_k", "repetition_penalty",
                     "max_tokens", "thinking_token_budget"):
            if name in body:
                self.send_json(400, {"error": {"message": "Unrecognized request argument: " + name,
                                               "type": "invalid_request_error"}})
                return
        self.do_plain(body, turn)

    def do_ollama(self, body, turn):
        self.stream_text("Answer", "I think", "reasoning")

    def do_encoder(self, body, turn):
        """vLLM's picture limit: 1,000 tokens of 28 x 28 px."""
        width, height = pictures(body)[0]
        tokens = round(width / 28) * round(height / 28)
        if tokens > 1000:
            self.send_json(400, {"error": {"message": "The image item with length %d exceeds the "
                                           "pre-allocated encoder cache size 1000" % tokens,
                                           "type": "BadRequestError", "code": 400}})
        else:
            self.do_plain(body, turn)

    # -- faults -------------------------------------------------------------------------------

    def do_wrong_key(self, body, turn):
        key = str(self.headers.get("Authorization", ""))[7:]
        self.send_json(401, {"error": {"message": "Incorrect API key provided: " + key,
                                       "code": "invalid_api_key"}})

    def do_busy(self, body, turn):
        """Twice too many requests, then an answer."""
        if turn <= 2:
            self.send_json(429, {"error": {"message": "slow down"}}, [("Retry-After", "0.2")])
        else:
            self.do_plain(body, turn)

    def do_busy_long(self, body, turn):
        self.send_json(429, {"error": {"message": "quota"}}, [("Retry-After", "7200")])

    def do_credit(self, body, turn):
        self.send_json(429, {"error": {"code": "1113", "message": "Insufficient balance"}})

    def do_flaky(self, body, turn):
        """Breaks the connection before the first byte, then 503, then answers."""
        if turn == 1:
            self.drop()
        elif turn == 2:
            self.send_json(503, b"upstream is starting")
        else:
            self.do_plain(body, turn)

    def do_down(self, body, turn):
        self.send_json(500, {"error": {"message": "CUDA error"}})

    def do_error_first(self, body, turn):
        """An error inside a stream before any token is worth another try."""
        if turn > 1:
            self.do_plain(body, turn)
            return
        self.start_stream()
        self.event(delta(role="assistant"))
        self.event({"error": {"message": "engine restarting", "code": 503}})
        self.end_stream()

    def do_error_late(self, body, turn):
        self.start_stream()
        self.event(delta("Half an ans"))
        self.event({"error": {"message": "KV cache exhausted", "code": 500}})
        self.end_stream()

    def do_half(self, body, turn):
        self.start_stream()
        self.event(delta("Half an ans"))
        self.drop()

    def do_half_clean(self, body, turn):
        self.start_stream()
        self.event(delta("Half an ans"))
        self.end_stream()

    def do_silent_start(self, body, turn):
        time.sleep(8)

    def do_silent(self, body, turn):
        self.start_stream()
        self.event(delta("Half"))
        time.sleep(8)

    def do_garbage(self, body, turn):
        self.start_stream()
        self.raw("data: {\"choices\": [{\"delta\": {\"content\": \n\n")
        self.end_stream()

    def do_html(self, body, turn):
        self.send_json(200, b"<html><title>Sign in to the guest network</title></html>")

    def do_empty(self, body, turn):
        self.stream_text("")

    def do_only_thoughts(self, body, turn):
        self.stream_text("", "hm " * 20, finish="length")

    def do_no_vision(self, body, turn):
        self.send_json(400, {"error": {"message": "text-only is not a multimodal model",
                                       "type": "BadRequestError", "code": 400}})

    def do_blind(self, body, turn):
        """llama-server without a projector."""
        self.send_json(500, {"error": {"code": 500, "type": "server_error", "message":
                                       "image input is not supported - hint: if this is unexpected, you may need "
                                       "to provide the mmproj"}})

    def do_context(self, body, turn):
        self.send_json(400, {"error": {"code": 400, "type": "exceed_context_size_error", "message":
                                       "the request exceeds the available context size",
                                       "n_prompt_tokens": 9000, "n_ctx": 4096}})

    def do_not_found(self, body, turn):
        self.send_json(404, {"error": {"message": "The model `x` does not exist.",
                                       "type": "NotFoundError"}})

    def do_elsewhere(self, body, turn):
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:1/steal")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_huge(self, body, turn):
        """Ten gigabytes of answer, or as much of it as the client takes."""
        self.start_stream()
        piece = ("data: " + json.dumps(delta("x" * 60000)) + "\n\n") * 4
        for _ in range(10 * 2**30 // len(piece)):
            self.raw(piece)

    def do_huge_event(self, body, turn):
        self.start_stream()
        self.raw("data: ")
        for _ in range(10 * 2**30 // 65536):
            self.raw("y" * 65536)

    def do_endless_comments(self, body, turn):
        self.start_stream()
        for _ in range(10 * 2**30 // 65536):
            self.raw((":" + "z" * 1021 + "\r\n") * 64)

    def do_slow(self, body, turn):
        """A token every tenth of a second, for cancelling."""
        self.start_stream()
        for _ in range(100):
            self.event(delta("tick "))
            time.sleep(0.1)

    # -- answers from files -------------------------------------------------------------------

    def do_script(self, body, turn):
        while turn > 1 and not os.path.exists(os.path.join(ARGS.answers, "%d.txt" % turn)):
            turn -= 1
        with open(os.path.join(ARGS.answers, "%d.txt" % turn), encoding="utf-8") as file:
            text = file.read()
        cut = text.startswith("#length\n")  # ends as if max_tokens were used up
        self.stream_text(text[8:] if cut else text, piece=200, finish="length" if cut else "stop")

    def do_tools(self, body, turn):
        with open(os.path.join(ARGS.answers, "calls.json"), encoding="utf-8") as file:
            steps = json.load(file)
        if "tools" not in body or (turn > len(steps) and not steps[-1]):
            self.do_script(body, 1)
            return
        calls = steps[min(turn, len(steps)) - 1]
        if not calls:
            self.do_script(body, 1)
            return
        self.start_stream()
        for i, (name, arguments) in enumerate(calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            self.event(delta(tool_calls=[{"index": i, "id": "call_%d_%d" % (turn, i), "type": "function",
                                          "function": {"name": name, "arguments": ""}}]))
            for at in range(0, len(text), 400):
                self.event(delta(tool_calls=[{"index": i, "function": {"arguments": text[at:at + 400]}}]))
        self.event(delta(finish="tool_calls"))
        self.event("[DONE]")
        self.end_stream()

    def do_faulty(self, body, turn):
        with LOCK:
            dice = RANDOM.random()
        faults = [self.do_half, self.do_error_late, self.do_error_first, self.do_empty,
                  lambda b, t: self.drop(), lambda b, t: self.send_json(503, b"starting"),
                  lambda b, t: self.send_json(429, {"error": {}}, [("Retry-After", "0")])]
        if dice < 1 / 3:
            faults[int(dice * 3 * len(faults))](body, 1)
        else:
            self.do_script(body, 1)


def main():
    global ARGS, RANDOM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", default=".")
    parser.add_argument("--seed", type=int, default=1)
    ARGS = parser.parse_args()
    RANDOM = random.Random(ARGS.seed)
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("%d\n" % server.server_address[1])  # in one piece, also when unbuffered
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
