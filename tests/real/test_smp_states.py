#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 3600
# long
#
# A Linux with several CPUs and work on all of them is capped, paused and resumed, is kept in a live snapshot, saved,
# continued on the other engine, and reset in the midst of it. Each CPU's sums stay right, and the kernel has nothing to
# complain about. 2 and 4 CPUs, from each engine.
"""What can happen to a running machine with several CPUs."""

import re
import time

import guest
import media

BOOT_SECONDS = 600
WORK_SECONDS = 300
PROMPT = 'vitrine# '
# Of half a MiB of zero bytes.
RIGHT = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'
# A job on a CPU of its own says its name and a sum, for ever.
WORK = ('w() { while :; do s=$(dd if=/dev/zero bs=65536 count=8 2>/dev/null | sha256sum | cut -c1-64); '
        'echo "job $1 $s."; done; }; for i in JOBS; do w $i & done')
# In one line: the jobs speak in between.
COMPLAINTS = ('echo "complaints $(dmesg | grep -c -e "soft lockup" -e "hard LOCKUP" -e "rcu.*stall" -e "BUG:" '
              '-e "Call Trace" -e "Oops" -e "clocksource.*unstable")."')
PAUSES = 5


def others(engine):
    """The engine that goes on with the saved state."""
    return 'iem' if engine == 'rem' else 'rem'


class Busy:
    """A machine at work."""

    def __init__(self, machine, cpus):
        self.machine, self.cpus = machine, cpus

    def boot(self):
        """To the prompt, with all CPUs, and the jobs begin."""
        self.machine.wait_serial('Small Linux', BOOT_SECONDS)  # GRUB: an older prompt does not count
        self.machine.wait_serial(PROMPT, BOOT_SECONDS)
        self.machine.serial.write('echo there are "$(grep -c ^processor /proc/cpuinfo)" cpus\n')
        self.machine.wait_serial(f'there are {self.cpus} cpus', 60)
        self.machine.serial.write(WORK.replace('JOBS', ' '.join(str(i) for i in range(self.cpus))) + '\n')
        self.check('boot')

    def check(self, what):
        """From now on each job gets to a sum twice, and it is right."""
        begin = time.monotonic()
        left = {str(i): 2 for i in range(self.cpus)}
        while left:
            if time.monotonic() - begin > WORK_SECONDS:
                raise guest.GuestError(f'{what}: the jobs {", ".join(left)} do not get on')
            text = self.machine.wait_serial(r'job \d+ \w*\.', WORK_SECONDS)
            job, found = re.search(r'job (\d+) (\w*)\.\Z', text).groups()
            if found != RIGHT:
                raise guest.GuestError(f'{what}: job {job} says {found}')
            left[job] = left.get(job, 0) - 1
            if left[job] <= 0:
                del left[job]
        print(f'{self.machine.name}: {what}: all jobs after {time.monotonic() - begin:.1f} s')

    def ask(self, command, pattern):
        """What the guest answers, beside its jobs."""
        self.machine.serial.write(f'{command}\n')
        return re.search(pattern, self.machine.wait_serial(pattern, 120))

    def look(self):
        """The kernel must not have complained."""
        found = self.ask(COMPLAINTS, r'complaints (\d+)\.').group(1)
        if found != '0':
            raise guest.GuestError(f'{self.machine.name}: the kernel complains {found} times')

    def restart(self):
        """Goes on in another process; what the guest said to nobody is missing."""
        self.machine.serial.close()
        self.machine.serial.data.clear()
        self.machine.serial.seen = 0
        self.machine.start()


def pauses(busy):
    """Paused and resumed, also in quick succession; the time that stood still is not the guest's."""
    machine = busy.machine
    for i in range(PAUSES):
        machine.control('pause')
        machine.wait_state('paused')
        time.sleep(0.3 * (i % 2))
        machine.control('resume')
    busy.check('pauses')


def cap(busy):
    """Half of the time is more than none."""
    busy.machine.control('cpuexecutioncap', 50)
    busy.check('cap of 50 %')
    busy.machine.control('cpuexecutioncap', 100)


def moments(busy, engine):
    """A live snapshot; saved and continued, on this engine and on the other one; the snapshot again."""
    machine = busy.machine
    guest.manage('snapshot', machine.name, 'take', 'live', '--live', seconds=600)
    busy.check('live snapshot')
    machine.control('savestate')
    guest.manage('modifyvm', machine.name, '--exec-engine', others(engine))
    busy.restart()
    busy.check(f'saved, now on {others(engine)}')
    busy.look()
    machine.control('poweroff')
    guest.manage('snapshot', machine.name, 'restore', 'live', seconds=300)
    busy.restart()
    busy.check(f'restored, on {engine}')


def check(cpus, engine):
    """One machine through all of it."""
    with guest.Machine(f'states-{cpus}-{engine}', iso=media.get('linux-amd64'),
                       settings=('--cpus', cpus, '--ioapic', 'on')) as machine:
        guest.manage('modifyvm', machine.name, '--exec-engine', engine)
        busy = Busy(machine, cpus)
        machine.start()
        busy.boot()
        cap(busy)
        pauses(busy)
        moments(busy, engine)
        busy.look()
        machine.control('reset')
        busy.boot()
        busy.look()
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 120)
        log = next(machine.folder.rglob('VBox.log')).read_text(encoding='utf-8')
        if 'does not get on' in log:
            raise guest.GuestError(f'a CPU stood still\n{log}')


def main():
    """All of it."""
    for cpus in (2, 4):
        for engine in ('rem', 'iem'):
            check(cpus, engine)


if __name__ == '__main__':
    main()
