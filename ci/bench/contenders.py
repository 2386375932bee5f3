"""Proxies that do the same job, each started as somebody would set it up who wants it fast."""

import contextlib
import dataclasses
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request

import servers

SERVER_CPU, CLIENT_CPU = 0, 1
REFERENCE, NGINX, VARNISH, HAPROXY = NAMES = ("edgeproof", "nginx", "Varnish", "HAProxy")
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
ATTACK = "?q=%3Cscript%3Ealert(1)%3C/script%3E"
FIREWALL = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecAuditEngine Off
Include {setup}
Include {rules}/*.conf
"""


@dataclasses.dataclass
class Job:
    """What is asked of every proxy that can do it."""

    name: str
    path: str
    connections: int = 32
    cache: bool = True
    tls: bool = False
    log: bool = False
    firewall: bool = False
    # What Varnish alone does here.
    compress: bool = False
    # So many forms, one behind another, in the request's body.
    forms: int = 0
    who: tuple = NAMES


SIZES = {"/o/page": 1 << 10, "/1k.html": 1 << 10, "/10k.html": 10 << 10, "/100k.html": 100 << 10, "/1m.html": 1 << 20}


class Contender:
    """A proxy at a job, and what its rounds gave."""

    def __init__(self, name, pids, url, asked=()):
        self.name, self.pids, self.url, self.asked = name, pids, url, asked
        self.micros, self.rate, self.p50_us, self.p99_us = [], [], [], []

    def cpu_seconds(self):
        return sum(servers.cpu_seconds(pid) for pid in self.pids)


class Bench:
    """The folder, the origin and the certificate that all jobs share."""

    def __init__(self, binary, folder, origin, bodies):
        self.binary, self.folder, self.origin, self.bodies = binary, folder, origin, bodies
        self.key, self.certificate = folder / "key.pem", folder / "certificate.pem"
        self.both = folder / "both.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", self.key, "-out", self.certificate]
        subprocess.run([*command.split(), *names], check=True, capture_output=True)
        self.both.write_text(self.certificate.read_text() + self.key.read_text())
        self.rules = folder / "rules.conf"
        rules, setup, _ = servers.rule_set()
        self.rules.write_text(FIREWALL.format(setup=setup, rules=rules))

    @contextlib.contextmanager
    def started(self, name, job):
        """A proxy that does a job, from its first answer to the end of the block."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / name
        start = {REFERENCE: self.reference, NGINX: self.nginx, VARNISH: self.varnish, HAPROXY: self.haproxy}[name]
        body = "&".join([servers.FORM] * job.forms)
        form = ("-H", "Content-Type: application/x-www-form-urlencoded", "--body", body)
        with start(folder, job) as (pids, port):
            url = f"{'https' if job.tls else 'http'}://127.0.0.1:{port}{job.path}"
            asked = ("-H", "Accept-Encoding: gzip") if job.compress else ()
            yield Contender(name, pids, url, form if job.forms else asked)

    @contextlib.contextmanager
    def reference(self, folder, job):
        folder.mkdir()
        port = servers.free_port()
        address = f"127.0.0.1:{port}"
        site = {"hosts": ["*"], "upstream": f"http://127.0.0.1:{self.origin}"}
        if job.cache:
            site["cache"] = {"policy": "rfc9111", "size": "256MiB"}
        if job.log:
            site["access_log"] = {"file": str(folder / "access.log")}
        if job.firewall:
            site["waf"] = {"conf": str(self.rules)}
        whole = {"threads": 1, "sites": [site]}
        if job.tls:
            whole["tls"] = [{"listen": address, "certificate": str(self.certificate), "key": str(self.key)}]
        else:
            whole["listen"] = [address]
        # JSON is YAML.
        (folder / "proxy.yaml").write_text(json.dumps(whole))
        command = [self.binary, "proxy", "--config", folder / "proxy.yaml"]
        with servers.running(command, SERVER_CPU, port, folder / "output") as pid:
            yield [pid], port

    @contextlib.contextmanager
    def nginx(self, folder, job):
        if job.firewall:
            rules = f"modsecurity on; modsecurity_rules_file {self.rules};"
            values = {"MODULE": MODULE, "ORIGIN": self.origin, "MODSECURITY": rules}
            with servers.nginx(folder, "nginx-waf.conf", SERVER_CPU, **values) as (pid, port):
                yield [pid], port
            return
        values = {"ORIGIN": self.origin, "SENDFILE": "on", "CACHE": "bench" if job.cache else "off"}
        if not job.log:
            values["LOG"] = "off"
        if job.tls:
            values["TLS"] = f" ssl; ssl_certificate {self.certificate}; ssl_certificate_key {self.key}"
        with servers.nginx(folder, "nginx-cache.conf", SERVER_CPU, **values) as (pid, port):
            yield [pid], port

    @contextlib.contextmanager
    def varnish(self, folder, job):
        received = "hash" if job.cache else "pass"
        started = servers.varnish(folder, SERVER_CPU, self.origin, received, "-p", "timeout_idle=300", compress=job.compress)
        with contextlib.ExitStack() as stack:
            pid, port = stack.enter_context(started)
            pids = [pid]
            if job.log:
                # Its log lines are written by a program of their own.
                command = ["taskset", "-c", SERVER_CPU, "varnishncsa", "-n", folder / "work", "-w", folder / "access.log"]
                writer = subprocess.Popen([str(word) for word in command], preexec_fn=servers.die_with_parent)
                stack.callback(writer.wait)
                stack.callback(writer.terminate)
                pids.append(writer.pid)
            yield pids, port

    @contextlib.contextmanager
    def haproxy(self, folder, job):
        folder.mkdir()
        port = servers.free_port()
        rules = "http-request cache-use pages\n    http-response cache-store pages"
        values = {
            "PORT": port,
            "ORIGIN": self.origin,
            "TLS": f" ssl crt {self.both}" if job.tls else "",
            "CACHE": rules if job.cache else "",
            "LOG": "log stdout format raw local0" if job.log else "",
            "HTTPLOG": "option httplog\n    log global" if job.log else "",
        }
        (folder / "haproxy.cfg").write_text(servers.filled("haproxy.cfg", **values))
        command = ["haproxy", "-db", "-f", folder / "haproxy.cfg"]
        with servers.running(command, SERVER_CPU, port, folder / "access.log") as pid:
            yield [pid], port

    def check(self, contender, job):
        """The body is the origin's, octet for octet, and with rules an attack is refused."""
        context = ssl.create_default_context(cafile=self.certificate)
        with urllib.request.urlopen(contender.url, timeout=5, context=context) as response:
            if response.read() != self.bodies[job.path]:
                raise SystemExit(f"{contender.name} answers another body: {job.name}")
        if job.firewall:
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(contender.url + ATTACK, timeout=5)
                raise SystemExit(f"{contender.name} lets an attack pass: {job.name}")

    def load(self, contender, seconds, *more):
        """One run of the generator; gives its result."""
        command = ["taskset", "-c", CLIENT_CPU, self.binary, "load", contender.url]
        command += ["-t", f"{seconds}s", "--format", "json", "--cacert", self.certificate, *contender.asked, *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60 * seconds + 60)
        result = json.loads(done.stdout) if done.stdout else {"errors": 1}
        # What never got its turn, or a late generator (6), is for the caller to judge; an answer that is none is not.
        if done.returncode not in (0, 1, 6) or result["errors"] or result["non_2xx"]:
            raise SystemExit(f"{contender.name}, {contender.url}: {done.stderr}")
        return result


@contextlib.contextmanager
def bench(binary):
    """A `Bench` with its origin, which serves a body of each size."""
    bodies = {path: os.urandom(size // 2).hex().encode() for path, size in SIZES.items()}
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeproof-bench-")))
        made = bodies["/o/page"].decode()
        origin, www = stack.enter_context(servers.origin(folder / "origin", CLIENT_CPU, body=made))
        for path in SIZES:
            if path.endswith(".html"):
                (www / path[1:]).write_bytes(bodies[path])
        yield Bench(binary, folder, origin, bodies)
