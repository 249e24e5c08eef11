# SPDX-License-Identifier: GPL-3.0-or-later
#
# Measures rows on contestants: a pilot on each, whose results must be equal, tells how much work takes
# the wanted time there; then rounds in which each has its turn, so that what else the host does falls
# on all alike. Figures are medians, in seconds for one unit of work.
"""Rounds of measurements."""

import statistics
import sys
from dataclasses import dataclass, field

import contestants
import machines
import media
from contestants import RowError

PATIENCE_SECONDS = 300
BOOTS_MOST = 3
# A pilot that takes less says little about how much work the wanted time needs.
LEAST_PILOT_SECONDS = 0.02
MOST_GROWTH = 200


@dataclass
class Figure:
    """What one contestant needs for a row: seconds a unit, of the chosen clock; or why there is none.

    `spread` is from least to most, `busy` what it had of a core, `tables` the bytes of translated code
    and its tables after a boot, `runs` the seconds of each round."""

    seconds: float = 0.0
    spread: float = 0.0
    busy: float = 0.0
    tables: int = 0
    problem: str = ''
    runs: list = field(default_factory=list)


@dataclass
class Result:
    """One line of the table."""

    name: str
    title: str
    group: str
    arch: str
    unit: str
    figures: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How long one run should take, how many rounds, and whose clock counts: 'wall' or 'cpu'."""

    target: float = 1.0
    rounds: int = 3
    clock: str = 'wall'


def note(text):
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def _one_line(error):
    """An error's beginning, for a table."""
    return ' '.join(str(error).split())[:160]


def _pilot(who, row, target):
    """(checksum of the start amount, the amount that takes about `target` seconds)."""
    first = sample = who.run(row, row.start, PATIENCE_SECONDS)
    amount = row.start
    if sample.inside < LEAST_PILOT_SECONDS:
        amount = row.start * 20
        sample = who.run(row, amount, PATIENCE_SECONDS)
    growth = min(target / max(sample.inside, 1e-6), MOST_GROWTH)
    return first, max(1, round(amount * growth))


def _seconds(sample, amount, trusted, clock):
    """Seconds a unit: by the guest's clock if that goes as the host's does, for it leaves a program's
    own start and preparations out."""
    seconds = sample.inside if trusted else sample.outside
    if clock == 'cpu':
        # What the machine had of a core, applied to the time that the program itself took.
        seconds *= sample.cpu / sample.outside
    return seconds / amount


def measure_row(row, arch, who, settings):
    """All contestants on one row."""
    result = Result(row.name, row.title, row.group, arch, row.unit)
    pilots, amounts, samples = {}, {}, {}
    for one in who:
        try:
            pilots[one.name], amounts[one.name] = _pilot(one, row, settings.target)
            samples[one.name] = []
        except (RowError, TimeoutError) as error:
            result.figures[one.name] = Figure(problem=_one_line(error))
    for _ in range(settings.rounds):
        for one in who:
            if one.name not in samples:
                continue
            try:
                samples[one.name].append(one.run(row, amounts[one.name], PATIENCE_SECONDS))
            except (RowError, TimeoutError) as error:
                result.figures[one.name] = Figure(problem=_one_line(error))
                del samples[one.name]
    for one in who:
        if one.name in samples:
            result.figures[one.name] = _figure(samples[one.name], amounts[one.name], one.trusted,
                                               settings.clock)
    _compare(result, pilots)
    note(f'{arch} {row.name}: ' + ', '.join(
        f'{name} {figure.problem or format_seconds(figure.seconds)}'
        for name, figure in result.figures.items()))
    return result


def _figure(samples, amount, trusted, clock):
    seconds = [_seconds(sample, amount, trusted, clock) for sample in samples]
    if len({sample.checksum for sample in samples}) != 1:
        return Figure(problem='results differ from run to run')
    busy = statistics.median(sample.cpu / sample.outside for sample in samples)
    middle = statistics.median(seconds)
    return Figure(middle, (max(seconds) - min(seconds)) / middle if middle else 0.0, busy, runs=seconds)


def _compare(result, pilots):
    """A contestant that computes something else has no figure. The host is right, else the majority."""
    sums = {name: pilot.checksum for name, pilot in pilots.items()}
    if not sums:
        return
    right = sums.get(contestants.NATIVE) or statistics.mode(sums.values())
    for name, checksum in sums.items():
        if checksum != right:
            result.figures[name] = Figure(problem=f'result {checksum}, should be {right}')


def measure_boot(boot, names, settings, disk_copy, options=(), once=()):
    """Boots on all machines in turn: seconds from power-on to the proof. `disk_copy(medium)` makes
    a disk that may be written to; machines in `once` take minutes and are in no bar."""
    result = Result('boot', boot.title, 'boot', boot.arch, 'boot')
    times, tables = {name: [] for name in names}, {}
    for turn in range(min(settings.rounds, BOOTS_MOST)):
        for name in [name for name in times if turn == 0 or name not in once]:
            try:
                seconds, tables[name] = _boot_once(boot, name, settings, disk_copy, options)
                times[name].append(seconds)
            except TimeoutError as error:
                result.figures[name] = Figure(problem=_one_line(error))
                del times[name]
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        result.figures[name] = Figure(middle, (max(seconds) - min(seconds)) / middle, tables=tables[name], runs=seconds)
    note(f'{boot.name}: ' + ', '.join(f'{name} {figure.problem or format_seconds(figure.seconds)}'
                                      for name, figure in result.figures.items()))
    return result


def _boot_once(boot, name, settings, disk_copy, options):
    disk = media.MEDIA[boot.medium].suffix == '.img'
    place = {'disk': disk_copy(boot.medium)} if disk else {'iso': media.get(boot.medium)}
    own = () if name in (machines.TCG, machines.BOCHS) else options
    with machines.start(name, memory=boot.memory, options=own, **place) as machine:
        _, end = machine.wait(boot.proof, contestants.BOOT_SECONDS)
        seconds = machine.cpu_seconds() if settings.clock == 'cpu' else end - machine.begin
        counted = machine.counters()
        return seconds, sum(counted.get(f'{name}-{what}', 0) for what in ('code-bytes', 'table-bytes'))


def format_seconds(seconds):
    """Three digits and a unit."""
    for limit, factor, unit in ((1e-6, 1e9, 'ns'), (1e-3, 1e6, 'µs'), (1.0, 1e3, 'ms')):
        if seconds < limit:
            return f'{seconds * factor:.3g} {unit}'
    return f'{seconds:.3g} s'
