"""Builds the client programs that a run needs, and says how each is started."""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.abspath(os.environ.get("INTEROP_BUILD") or os.path.join(ROOT, ".build"))
TARGET = os.path.join(OUT, "target")


class Missing(Exception):
    """A client cannot be built here; the text says what is missing."""


def need(tool, package):
    if shutil.which(tool) is None:
        raise Missing(f"{tool} is not installed ({package})")


def run(command, folder, **extra):
    environment = {**os.environ, **extra}
    done = subprocess.run(["nice", "-n", "10", *command], cwd=os.path.join(ROOT, folder), env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)} in {folder} failed:\n{done.stdout[-3000:]}")


def build_js(folder):
    need("node", "Node.js 20 or newer")
    need("npm", "npm")
    lock, installed = (os.path.join(ROOT, folder, n) for n in ("package-lock.json", "node_modules/.package-lock.json"))
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(lock):
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    return ["node", "--import", os.path.join(ROOT, "js/src/polyfill.mjs"), os.path.join(ROOT, folder, "src/client.mjs")]


def build_rust(folder, program):
    need("cargo", "Rust 1.88 or newer")
    run(["cargo", "build", "--locked", "--quiet", "-j", "1" if os.environ.get("INTEROP_JOBS") == "1" else "2"], folder,
        CARGO_TARGET_DIR=TARGET)
    return [os.path.join(TARGET, "debug", program)]


def build_go():
    need("go", "Go 1.26 or newer")
    program = os.path.join(OUT, "interop-go")
    run(["go", "build", "-p", "2", "-o", program, "."], "go")
    return [program]


def build_py():
    folder = os.path.join(OUT, "py")
    python, stamp = os.path.join(folder, "bin/python"), os.path.join(folder, "installed.txt")
    lock = os.path.join(ROOT, "py/requirements.txt")
    if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(lock):
        run([sys.executable, "-m", "venv", folder], ".")
        run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", lock], ".")
        shutil.copyfile(lock, stamp)
    return [python, os.path.join(ROOT, "py/client.py")]


# client kind -> how it is built; each gives the command that starts it
CLIENTS = {
    "js": lambda: build_js("js"),
    "js-2": lambda: build_js("js-2"),
    "go": build_go,
    "py": build_py,
    "rust": lambda: build_rust("rust-0.54", "interop-rust-054"),
    "rust-new": lambda: build_rust("rust-new", "interop-rust-new"),
}


def build(kinds, report):
    """The command of each kind that can be built, and the reason for each that cannot."""
    os.makedirs(OUT, exist_ok=True)
    commands, missing = {}, {}
    for kind in sorted(kinds):
        try:
            commands[kind] = CLIENTS[kind]()
        except Missing as reason:
            missing[kind] = str(reason)
            report(f"{kind} client: {reason}")
    return commands, missing
