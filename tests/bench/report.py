# SPDX-License-Identifier: GPL-3.0-or-later
#
# From figures to the table and its bars.
"""Table, geometric means and bars."""

import math
import statistics
from dataclasses import dataclass

import rows
from contestants import NATIVE
from machines import TCG
from measure import format_seconds

SUBJECT = 'rem'


@dataclass(frozen=True)
class Bar:
    """A figure with what it must and what it should be; `most` says whether less is better."""

    title: str
    value: float
    must: float
    aim: float
    most: bool = False

    def line(self):
        """How it is printed."""
        good = self.value <= self.must if self.most else self.value >= self.must
        return (f'{"met " if good else "MISSED"} {self.title}: {self.value:.2f} '
                f'(must be {"at most" if self.most else "at least"} {self.must:g}, aim {self.aim:g})')

    def met(self):
        """Whether it is as good as it must be."""
        return self.value <= self.must if self.most else self.value >= self.must


def ratio(result, slow, fast):
    """How many times faster `fast` is in a row than `slow`, or None: the median of the rounds' pairs, for a host that
    is slow for a while is slow for both of a pair."""
    one, other = result.figures.get(slow), result.figures.get(fast)
    if one is None or other is None or not one.seconds or not other.seconds:
        return None
    if len(one.runs) != len(other.runs) or not all(other.runs):
        return one.seconds / other.seconds
    return statistics.median(mine / theirs for mine, theirs in zip(one.runs, other.runs))


def ratios(results, slow, fast, group=None):
    """The ratios of all rows (of a group) that have one."""
    found = (ratio(result, slow, fast) for result in results if group in (None, result.group))
    return [value for value in found if value is not None]


def geometric_mean(values):
    """Of positive numbers, at least one."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


def bars(results, subject):
    """The bars that these results say something about."""
    found = []

    def add(title, values, choose, must, aim, most=False):
        if values:
            found.append(Bar(title, choose(values), must, aim, most))

    add(f'all rows, {subject} over TCG, geometric mean', ratios(results, TCG, subject), geometric_mean, 3, 6)
    add(f'slowest row, {subject} over TCG', ratios(results, TCG, subject), min, 1, 2)
    add(f'compute rows, {subject} against native, worst',
        ratios(results, subject, NATIVE, rows.COMPUTE), max, 1.6, 1.2, True)
    add(f'fork, faults, pipes, {subject} over TCG, worst',
        ratios(results, TCG, subject, rows.PROCESS), min, 2, 4)
    add(f'boots, {subject} over TCG, worst', ratios(results, TCG, subject, rows.BOOT), min, 1.5, 2.5)
    add(f'MiB of translated code and tables after a boot, {subject}',
        [result.figures[subject].tables / 2 ** 20 for result in results
         if subject in result.figures and result.figures[subject].tables], max, 128, 64, True)
    add(f'two CPUs over one, {subject}', ratios(results, f'{subject}, 1 CPU', f'{subject}, 2 CPUs'),
        min, 1.8, 1.95)
    return found


def _cell(figure):
    if figure is None:
        return '-'
    return 'failed' if figure.problem else format_seconds(figure.seconds)


def _ratio_cell(value):
    return '-' if value is None else f'{value:.2f}'


def table(results, names, subject):
    """The table as text: a line for each row, then means."""
    head = ['row', 'guest', 'unit', *names, f'{subject}/native', f'tcg/{subject}']
    lines = [head]
    for result in results:
        lines.append([result.title, result.arch, result.unit,
                      *(_cell(result.figures.get(name)) for name in names),
                      _ratio_cell(ratio(result, subject, NATIVE)), _ratio_cell(ratio(result, TCG, subject))])
    against = [ratios(results, subject, NATIVE), ratios(results, TCG, subject)]
    lines.append(['geometric mean', '', '', *('' for _ in names),
                  *(f'{geometric_mean(values):.2f}' if values else '-' for values in against)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return '\n'.join('  '.join(
        cell.ljust(width) if i < 3 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def problems(results):
    """What went wrong, a line each."""
    return [f'{result.title} ({result.arch}) on {name}: {figure.problem}'
            for result in results for name, figure in result.figures.items() if figure.problem]


def loaded(results):
    """Whether a busy host took more than a tenth of somebody's time in a row that only computes."""
    shares = [figure.busy for result in results if result.group == rows.COMPUTE
              for figure in result.figures.values() if figure.busy]
    short = [share for share in shares if share < 0.9]
    if not short:
        return []
    return [f'busy host: {len(short)} of {len(shares)} figures of compute rows were made with less than a '
            f'core, one with {min(short):.0%} of it']
