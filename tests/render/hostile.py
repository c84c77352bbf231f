"""Renders every page of hostile/ with scripts on beside a listener on loopback. None may reach the listener or outlive
its limit, and after each the renderer still draws a good page. Needs $GLMV."""
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

GLMV = os.environ["GLMV"]
LIMIT = 2.0
GRACE = 20.0  # start of a worker on a busy machine, the client's own margin, and taking everything down
MARK = b"GLMV_TEST_MARK=%d" % os.getpid()
os.environ["GLMV_TEST_MARK"] = str(os.getpid())
reached = []


def listen():
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(50)
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))

    def take_tcp():
        while True:
            peer, _ = tcp.accept()
            peer.settimeout(2)
            try:
                reached.append(peer.recv(200))
            except OSError:
                reached.append(b"(connected)")
            peer.close()

    def take_udp():
        while True:
            reached.append(udp.recvfrom(200)[0])

    for take in (take_tcp, take_udp):
        threading.Thread(target=take, daemon=True).start()
    return port


def processes():
    """Those that this test started, directly or not: they carry its mark in their environment."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if MARK in open(f"/proc/{pid}/environ", "rb").read() and int(pid) != os.getpid():
                found.add(open(f"/proc/{pid}/comm").read().strip() + " " + pid)
        except OSError:
            continue
    return found


def comes_true(what, seconds=20):
    """Whether `what` holds within some seconds; a busy machine may take them."""
    end = time.time() + seconds
    while not what():
        if time.time() > end:
            return False
        time.sleep(0.02)
    return True


def render(html, out, *options):
    start = time.time()
    done = subprocess.run([GLMV, "render", "-", "-o", out + ".png", "--dom", out + ".json", *options],
                          input=html.encode(), capture_output=True, timeout=120)
    return done.returncode, time.time() - start, done.stderr.decode()


def main():
    port = listen()
    socket.create_connection(("127.0.0.1", port)).close()  # the listener itself works
    assert comes_true(lambda: len(reached) == 1), "the listener hears nothing"
    reached.clear()
    failed = []
    pages = sorted(glob.glob(os.path.join(os.path.dirname(__file__), "hostile", "*.html")))
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "out")
        running = subprocess.Popen([GLMV, "render", "-", "-o", os.devnull], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # One just started shows an empty environment until its new image is set up.
        assert comes_true(processes), "the count of processes sees nothing"
        running.stdin.close()
        running.wait()
        for page in pages:
            name = os.path.basename(page)
            html = open(page).read().replace("PORT", str(port))
            code, seconds, said = render(html, out, "--scripts", "--timeout", str(LIMIT), "--max-height", "4000")
            print(f"{name:24} exit {code}  {seconds:5.1f} s  {said.strip().splitlines()[-1] if said.strip() else ''}")
            if code not in (0, 4):
                failed.append(f"{name}: exit code {code}: {said}")
            if seconds > LIMIT + GRACE:
                failed.append(f"{name}: took {seconds:.1f} s")
            if code == 0 and "LEAK" in open(out + ".json").read():
                failed.append(f"{name}: read a file")
        code, _, said = render("<h1>fine</h1>", out)
        if code != 0 or json.load(open(out + ".json"))["texts"][0]["text"] != "fine":
            failed.append("a good page does not render afterwards: " + said)
    time.sleep(1)  # for what still wants to reach the listener
    if not comes_true(lambda: not processes()):
        failed.append(f"left over: {processes()}")
    if reached:
        failed.append(f"reached the listener: {reached}")
    if len(pages) < 25:
        failed.append(f"only {len(pages)} pages")
    print(f"{len(pages)} pages, {len(reached)} reached the listener, {len(failed)} failures")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
