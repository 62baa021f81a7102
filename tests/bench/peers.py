"""Builds the relays to compare with, and says how each is started. Called by compare.py."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


class Missing(Exception):
    """A relay cannot be built here; the text says what is missing."""


def run(command, folder, **extra):
    environment = {**os.environ, **extra}
    try:
        done = subprocess.run(["nice", *command], cwd=folder, env=environment, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise Missing(str(error)) from error
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")


def build_rust(folder, program, out):
    if not shutil.which("cargo"):
        raise Missing("cargo is not installed (Rust 1.88 or newer)")
    target = os.path.join(out, "target")
    run(["cargo", "build", "--release", "--locked", "--quiet"], os.path.join(HERE, "peers", folder), CARGO_TARGET_DIR=target)
    return os.path.join(target, "release", program)


def build_go(out):
    if not shutil.which("go"):
        raise Missing("go is not installed (Go 1.26 or newer)")
    program = os.path.join(out, "bench-relay-go")
    run(["go", "build", "-o", program, "."], os.path.join(HERE, "peers", "go"))
    return program


# name in the table -> how it is built; each gives the program
BUILD = {
    "rust 0.54.1": lambda out: build_rust("rust-0.54", "bench-relay-rust-054", out),
    "rust 0.57.1": lambda out: build_rust("rust-new", "bench-relay-rust-new", out),
    "go 0.51.0": build_go,
}


def build(out, names, report):
    """The program of each relay that can be built, of these names or all; the reason for each that cannot goes to `report`."""
    os.makedirs(out, exist_ok=True)
    programs = {}
    for name, make in BUILD.items():
        if names and name not in names:
            continue
        try:
            programs[name] = make(os.path.abspath(out))
        except Missing as reason:
            report(f"NOT MEASURED: {name}: {reason}")
    return programs
