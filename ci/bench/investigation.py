"""Keys, homes and searches of investigations of authorized_keys, the same for the same random numbers."""

import base64
import os
import struct


def key(random):
    """A line's type and base64 of an RSA (2048 to 8192 bits) or Ed25519 key, its numbers at random."""
    if random.random() < 0.1:
        kind, parts = b"ssh-ed25519", [random.randbytes(32)]
    else:
        octets = random.choice([256, 384, 512, 512, 768, 1024])
        kind, parts = b"ssh-rsa", [b"\x01\x00\x01", b"\x00\xc5" + random.randbytes(octets - 1)]
    blob = b"".join(struct.pack(">I", len(part)) + part for part in [kind, *parts])
    return f"{kind.decode()} {base64.b64encode(blob).decode()}"


def escaped(text):
    return "".join("\\" + c if c in "+.()|[]{}^$*?\\" else c for c in text)


def lines(name, keys):
    """What belongs in a home's authorized_keys."""
    return ["# keys of " + name, *(f"{k} {name}@desk{i}" for i, k in enumerate(keys))]


def write_home(ssh, lines):
    """A .ssh folder with its files."""
    os.makedirs(ssh, exist_ok=True)
    with open(f"{ssh}/authorized_keys", "w") as file:
        file.write("\n".join(lines) + "\n")
    for more in ["known_hosts", "config"]:
        with open(f"{ssh}/{more}", "w") as file:
            file.write("Host *\n")


def search(name, ssh, keys):
    """Finds an authorized_keys with a line that is none of these keys, a comment or blank."""
    alternatives = "|".join(f"({escaped(k)} .+)" for k in keys)
    return {
        "description": f"the keys of {name}",
        "paths": [ssh],
        "names": ["^authorized_keys$"],
        "contents": [f"^((#.+)|(\\s+)|{alternatives})$"],
        "options": {"macroal": True, "matchall": True, "maxdepth": 1, "mismatch": ["content"]},
    }


def action(searches):
    return {
        "name": "unknown keys", "target": "status='online' AND mode='daemon'", "version": 2,
        "operations": [{"module": "file", "parameters": {"searches": searches}}],
    }
