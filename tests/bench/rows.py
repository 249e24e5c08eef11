# SPDX-License-Identifier: GPL-3.0-or-later
#
# The rows of the benchmark's table: what each runs and how much of it is a start. Programs are in
# programs/; a guest finds them in /bench.
"""What is measured."""

from dataclasses import dataclass

ARCHES = ('amd64', 'i386')
COMPUTE, PROCESS, BOOT, OTHER = 'compute', 'process', 'boot', 'other'


@dataclass(frozen=True)
class Row:
    """One row. In `command` {n} is the amount of work, {bench} the programs' folder, {tmp} one for
    files, {sh} a shell, {ld} what runs a program with the guest's own libraries. `start` units
    take a native CPU some milliseconds."""

    name: str
    title: str
    group: str
    command: str
    start: int
    unit: str


ROWS = (
    Row('integer', 'integer hash (SHA-256)', COMPUTE, '{bench}/integer {n}', 20, '64 KiB'),
    Row('md5pipe', 'MD5 through a pipe', OTHER, '{bench}/md5pipe {n}', 20, '64 KiB'),
    Row('float', 'double precision', COMPUTE, '{bench}/float {n}', 20, '1000 steps'),
    Row('x87', 'x87', COMPUTE, '{bench}/x87 {n}', 50, '1000 turns'),
    Row('sse', 'SSE2 streams', COMPUTE, '{bench}/sse {n}', 500, 'pass'),
    Row('avx', 'AVX2 streams', COMPUTE, '{bench}/avx {n}', 500, 'pass'),
    Row('memory', 'memcpy, memset', COMPUTE, '{bench}/memory {n}', 10, '4 MiB'),
    Row('chase', 'pointer chase', OTHER, '{bench}/chase {n}', 5, '30000 steps'),
    Row('syscall', 'system calls', OTHER, '{bench}/syscall {n}', 20, '1000 calls'),
    Row('forkexec', 'fork + exec', PROCESS, '{bench}/forkexec {n}', 10, 'process'),
    Row('faults', 'page faults', PROCESS, '{bench}/faults {n}', 10, '256 pages'),
    Row('pingpong', 'pipe ping-pong', PROCESS, '{bench}/pingpong {n}', 10, '100 trips'),
    Row('shell', 'shell loop', OTHER, '{bench}/command {n} {sh} {bench}/loop.sh', 2, '1000 turns'),
    Row('gzip', 'gzip', OTHER, '{bench}/command {n} {ld}{bench}/gzip -nc {bench}/text', 2, '256 KiB'),
    Row('compile', 'compiler (tcc)', OTHER, '{bench}/command {n} {sh} {bench}/compile.sh {tmp} '
        '{bench}/source.c {ld}{bench}/tcc', 1, '7600 lines'),
)
# On a guest with two CPUs against the same guest with one.
PARALLEL = Row('parallel', 'two threads', OTHER, '{bench}/parallel {n}', 10, '1 M turns')


@dataclass(frozen=True)
class Boot:
    """A boot: the medium (of media.py), the line that ends it, MiB of memory."""

    name: str
    title: str
    medium: str
    arch: str
    proof: str
    memory: int = 256


BOOTS = (
    Boot('boot-amd64', 'Linux boot to init', 'bench-amd64', 'amd64', 'bench: ready'),
    Boot('boot-i386', 'Linux boot to init', 'bench-i386', 'i386', 'bench: ready'),
    Boot('boot-debian', 'Debian boot to login', 'debian-amd64', 'amd64', 'vitrine-guest login:', 512),
)
