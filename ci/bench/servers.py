"""The processes that the benchmarks start, each stopped by its id, and what the kernel says of them."""

import contextlib
import ctypes
import http.client
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
START_LIMIT_S = 10
STOP_LIMIT_S = 15

# What somebody writes into a contact form, as a browser sends it.
FORM = urllib.parse.urlencode({
    "name": "Jane O'Hara",
    "mail": "jane.ohara@post.example",
    "street": "14 Station Road, Flat 3",
    "city": "Newtown-on-Sea",
    "subject": "A question about my order of last Tuesday",
    "message": "Hello, I ordered two pairs of shoes last week, one in red and one in blue. The red ones are fine, but the "
    "blue ones are a size too small for me. Could you tell me how to send them back, and whether I can have the same "
    "pair in size 42 instead? I would also like to know when the green ones will be back in the shop. " * 7,
})[:2047].rstrip("+") + "."


def free_port():
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def die_with_parent():
    """In a child: a killed benchmark leaves no server behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


@contextlib.contextmanager
def running(command, cpu, port, log):
    """A server on one core from its first answer to the end of the block; `port` may be a unix socket's path."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(cpu), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    try:
        wait_until_listening(process, port, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_listening(process, port, log):
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
            if isinstance(port, pathlib.Path):
                with socket.socket(socket.AF_UNIX) as tried:
                    tried.connect(str(port))
            else:
                socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    raise SystemExit(f"no server on {port}:\n{pathlib.Path(log).read_text(errors='replace')}")


def filled(template, **values):
    """A template of this folder with its @NAME@s filled in."""
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


@contextlib.contextmanager
def nginx(folder, template, cpu, **values):
    """nginx with one of the templates of this folder; gives its process id and port."""
    folder.mkdir()
    port = free_port()
    log = f"{folder}/access.log line buffer=64k flush=1s"
    values = {"DIR": folder, "PORT": port, "USER": "", "HTTP2": "", "LOG": log, "TLS": "", "CACHE": "bench", **values}
    if os.geteuid() == 0:
        values["USER"] = "user root;"
    (folder / "nginx.conf").write_text(filled(template, **values))
    command = ["nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"]
    with running([*command, "-g", "daemon off;"], cpu, port, folder / "output") as pid:
        yield pid, port


@contextlib.contextmanager
def origin(folder, cpu, body=""):
    """The origin: its `www` folder is there to be filled."""
    with nginx(folder, "nginx-origin.conf", cpu, BODY=body) as (_, port):
        (folder / "www").mkdir()
        yield port, folder / "www"


@contextlib.contextmanager
def origin_http2(folder, cpu, body):
    """The origin with a port for HTTP/2 by prior knowledge; gives both ports."""
    http2 = free_port()
    listen = f"listen 127.0.0.1:{http2} http2;"
    with nginx(folder, "nginx-origin.conf", cpu, BODY=body, HTTP2=listen) as (_, port):
        yield port, http2


@contextlib.contextmanager
def proxy(binary, folder, cpu, upstream, *more):
    """The reference proxy before a port or the URL of an upstream; gives its process id and port."""
    folder.mkdir()
    port = free_port()
    upstream = f"http://127.0.0.1:{upstream}" if isinstance(upstream, int) else upstream
    command = [binary, "proxy", "--listen", f"127.0.0.1:{port}", "--upstream", upstream, *more]
    with running(command, cpu, port, folder / "output") as pid:
        yield pid, port


def caching_proxy(binary, folder, cpu, upstream, *more):
    """The reference proxy with its cache and an access log."""
    return proxy(binary, folder, cpu, upstream, "--cache", "--access-log", folder / "access.log", *more)


@contextlib.contextmanager
def varnish(folder, cpu, upstream, received, *more, compress=False):
    """Varnish before a port, which does with a request what `received` says (hash, pass); gives its process id and port."""
    folder.mkdir()
    port = free_port()
    (folder / "default.vcl").write_text(filled("varnish.vcl", ORIGIN=upstream, RECEIVED=received, COMPRESS=str(compress).lower()))
    command = ["varnishd", "-F", "-j", "none", "-n", folder / "work", "-a", f"127.0.0.1:{port}", "-T", "none"]
    command += ["-f", folder / "default.vcl", "-s", "default,256m", *more]
    with running(command, cpu, port, folder / "output") as pid:
        yield pid, port


def wrk(cpu, port, path, connections, seconds, *more):
    """Loads a server; gives the requests done and what wrk printed. An answer that is not good ends the benchmark."""
    command = ["taskset", "-c", cpu, "wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", *more]
    command = [*map(str, command), f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 20).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"not every answer was good:\n{text}")
    return int(re.search(r"(\d+) requests in", text).group(1)), text


def family(pid):
    """A process and the processes it has started."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [p for child in (task / "children").read_text().split() for p in family(int(child))]
    return found


def cpu_seconds(pid):
    """User and system time of a process, all threads, and of its children (proc(5), stat, fields 14 and 15)."""
    ticks = 0
    for each in family(pid):
        after_name = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    """The memory that a process has in RAM now (proc(5), status, VmRSS)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"process {pid} has no VmRSS")


def get(port, path, host="bench.test"):
    """One GET on a connection of its own: status, fields, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def spread(values, form):
    """Median (least to most)."""
    least, middle, most = (form.format(f(values)) for f in (min, statistics.median, max))
    return f"{middle} ({least} to {most})"


def rule_set():
    """The Core Rule Set's rules, its setup file and its version: that in EDGEPROOF_CRS, else Debian's."""
    debian = pathlib.Path("/usr/share/modsecurity-crs")
    root = pathlib.Path(os.environ.get("EDGEPROOF_CRS") or debian)
    setup = root / "crs-setup.conf.example" if root != debian else pathlib.Path("/etc/modsecurity/crs/crs-setup.conf")
    first = (root / "rules" / "REQUEST-901-INITIALIZATION.conf").read_text()
    return root / "rules", setup, re.search(r"ver:'OWASP_CRS/([^']+)'", first).group(1)


def version_of(*command):
    """The first line that a program prints about its version."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def binary():
    """The release build."""
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    found = pathlib.Path(os.environ.get("EDGEPROOF", pathlib.Path(target) / "release" / "edgeproof"))
    if not found.exists():
        raise SystemExit(f"{found} is not there: cargo build --release -p edgeproof")
    return found
