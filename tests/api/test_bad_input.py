#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# needs: gir1.2-glib-2.0 python3-gi seabios util-linux
#
# Files that are broken, missing, from the future or forbidden; machines that are started twice; no
# display; wrong arguments. Each time a message says what to do, the exit code tells, and what was
# there is there afterwards. (A full disk has a test of its own.)
"""Bad input from people, files and other processes."""

import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, State, run, until  # noqa: E402
from test_manage import DONE, FAILED, PROGRAM, SYNTAX, call, info, make, said  # noqa: E402

HEADLESS, WINDOW = BUILD / 'app/headless/vitrine-headless', BUILD / 'app/vitrine'
SERVICE, WORKER = BUILD / 'app/service/vitrine-service', BUILD / 'app/worker/vitrine-worker'


def new_service(world):
    """The next command finds no service: what is on the disk is read again."""
    for pid in world.services():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not world.services(), 'the service is gone')


def damages(good):
    """What may stand in a settings file instead of settings, and what the message says of it."""
    version = re.search(r'version="1\.\d+-linux"', good).group()
    return {
        'truncated': (good[:len(good) // 2].encode(), 'is damaged: line'),
        'without its end': (good[:-5].encode(), 'is damaged: line'),
        'empty': (b'', 'is empty'),
        'binary': (b'\0\1\2\377' * 100, 'is not an XML text'),
        'not UTF-8': (good.replace('<VirtualBox ', '<VirtualBox x="\udcff" ').encode(errors='surrogateescape'), 'is damaged'),
        'something else': (b'<html><body/></html>', 'is not a settings file'),
        'without a version': (good.replace(version, '').encode(), 'has no version'),
        'a bomb': (b'<!DOCTYPE a [<!ENTITY b "bbbb">]><VirtualBox version="1.12-linux">&b;</VirtualBox>',
                   'document type'),
        'too old': (good.replace(version, 'version="1.2-linux"').encode(), 'older than version 1.3'),
    }


def broken_machine_files(world):
    identity = make('box', '--default')
    path = Path(info('box')['CfgFile'])
    good = path.read_text()
    for what, (content, text) in damages(good).items():
        path.write_bytes(content)
        new_service(world)
        assert call('list', 'vms')[0] == f'<inaccessible> {{{identity}}}\n', what
        out, _ = call('showvminfo', 'box', '--machinereadable')
        assert 'name="<inaccessible>"\n' in out and str(path) in out and text in out, f'{what}: {out}'
        for words in (('startvm', 'box', '--type', 'headless'), ('modifyvm', 'box', '--memory', 64)):
            _, errors = call(*words, expect=FAILED)
            assert text in errors and str(path) in errors, f'{what}: {errors}'
            assert 'in its place' in errors, f'{what}: nobody says what to do: {errors}'
        assert path.read_bytes() == content, f'{what}: the file was written to'
    copy = Path(f'{path}-prev')
    copy.write_text(good)
    new_service(world)
    said(str(copy), 'startvm', 'box')
    shutil.copy(copy, path)
    new_service(world)
    assert info('box')['UUID'] == identity
    call('unregistervm', 'box')
    for what, (content, text) in damages(good).items():
        path.write_bytes(content)
        said(text, 'registervm', path)
        assert call('list', 'vms')[0] == '', what


def missing_machine_files(world):
    identity = make('box')
    path = Path(info('box')['CfgFile'])
    good = path.read_bytes()
    path.unlink()
    new_service(world)
    assert call('list', 'vms')[0] == f'<inaccessible> {{{identity}}}\n'
    said('no such file', 'startvm', 'box')
    said('put it back', 'startvm', 'box')
    path.mkdir()
    new_service(world)
    said('is no file', 'startvm', 'box')
    path.rmdir()
    path.write_bytes(good)
    new_service(world)
    assert info('box')['UUID'] == identity
    path.unlink()
    new_service(world)
    call('unregistervm', 'box')
    assert call('list', 'vms')[0] == ''


def files_from_the_future(world):
    make('box')
    call('modifyvm', 'box', '--memory', 32)
    path, registry = Path(info('box')['CfgFile']), world.config / 'VirtualBox.xml'
    for file, words in ((path, ('modifyvm', 'box', '--memory', 64)), (registry, ('createvm', '--name', 'other'))):
        good = file.read_text()
        future = re.sub(r'version="1\.\d+-linux"', 'version="2.3-linux"', good).replace(
            '</', '<Hologram depth="3"/></', 1)
        file.write_text(future)
        new_service(world)
        assert info('box')['memory'] == 32
        _, errors = call(*words, expect=FAILED)
        assert 'version 2.3-linux' in errors and 'newer program' in errors and str(file) in errors, errors
        call('startvm', 'box', '--type', 'headless')
        call('controlvm', 'box', 'poweroff')
        assert file.read_text() == future, 'a file from the future was written to'
        file.write_text(good)
        new_service(world)


def broken_registries(world):
    make('box')
    path = world.config / 'VirtualBox.xml'
    good = path.read_text()
    folder = Path(info('box')['CfgFile']).parent
    for what, (content, text) in damages(good).items():
        path.write_bytes(content)
        new_service(world)
        for words in (('list', 'vms'), ('showvminfo', 'box'), ('createvm', '--name', 'new', '--register'),
                      ('setextradata', 'global', 'a', 'b'), ('registervm', folder / 'box.vbox')):
            _, errors = call(*words, expect=FAILED)
            assert text in errors and str(path) in errors and 'in its place' in errors, f'{what}: {errors}'
        result = subprocess.run([HEADLESS, '--startvm', 'box'], capture_output=True, text=True, timeout=60,
                                check=False)
        assert result.returncode == FAILED and text in result.stderr, f'{what}: {result.stderr}'
        assert path.read_bytes() == content, f'{what}: the file was written to'
    assert not (folder.parent / 'new').exists()
    path.write_text(good)
    new_service(world)
    assert info('box')['name'] == 'box'


def without_rights(*words):
    """Runs the program as somebody whom the modes of files bind."""
    prefix = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--'] if os.geteuid() == 0 else []
    result = subprocess.run([*prefix, PROGRAM, *(str(word) for word in words)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


@contextlib.contextmanager
def mode(path, bits):
    """Forbids something for a while."""
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def forbidden(*words):
    """A command that must fail for the lack of rights, and say so; returns the message."""
    code, _, errors = without_rights(*words)
    assert code == FAILED and 'Permission denied' in errors, f'{words}: {code} {errors}'
    assert 'See to it that you may read and write there.' in errors, errors
    return errors


def unreadable_files(world):
    make('box')
    path, registry = Path(info('box')['CfgFile']), world.config / 'VirtualBox.xml'
    with mode(path, 0):
        new_service(world)
        assert '<inaccessible>' in without_rights('list', 'vms')[1]
        assert str(path) in forbidden('startvm', 'box', '--type', 'headless')
    with mode(registry, 0):
        new_service(world)
        assert str(registry) in forbidden('list', 'vms')
        assert str(registry) in forbidden('createvm', '--name', 'other')
    new_service(world)
    assert without_rights('list', 'vms')[1].startswith('"box" ')


def read_only_folders(world):
    make('box')
    call('createmedium', '--filename', world.root / 'disk.vdi', '--size', 4)
    path = Path(info('box')['CfgFile'])
    new_service(world)
    before = path.read_bytes(), (world.config / 'VirtualBox.xml').read_bytes()
    with mode(path.parent, 0o500):
        forbidden('modifyvm', 'box', '--memory', 64)
        assert 'VBox.log' in forbidden('startvm', 'box', '--type', 'headless')
        forbidden('createmedium', '--filename', path.parent / 'new.vdi', '--size', 4)
    with mode(world.config, 0o500):
        forbidden('setextradata', 'global', 'key', 'value')
        forbidden('createvm', '--name', 'other', '--register')
        assert not (path.parent.parent / 'other').exists(), 'half a machine was left'
    with mode(path.parent.parent, 0o500):
        forbidden('createvm', '--name', 'other', '--register')
        forbidden('modifyvm', 'box', '--name', 'renamed')
    with mode(world.root, 0o500):
        forbidden('closemedium', 'disk', world.root / 'disk.vdi', '--delete')
    assert (path.read_bytes(), (world.config / 'VirtualBox.xml').read_bytes())[0] == before[0]
    assert (world.root / 'disk.vdi').exists()
    assert without_rights('modifyvm', 'box', '--memory', 64)[0] == DONE
    new_service(world)
    assert info('box')['memory'] == 64 and call('list', 'vms')[0].count('\n') == 1


def disks_that_are_gone_or_damaged(world):
    make('box', '--default')
    disk = world.root / 'disk.vdi'
    call('createmedium', '--filename', disk, '--size', 4)
    call('storageattach', 'box', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd', '--medium', disk)
    good = bytearray(disk.read_bytes())
    cases = {
        'gone': (None, 'No such file'),
        'empty': (b'', str(disk)),
        'no image': (b'\0' * len(good), str(disk)),
        'header': (good[:0x40] + b'\xff' * 0x180 + good[0x1c0:], str(disk)),
        'map': (good[:0x100000] + b'\1\0\0\0' * 64 + good[0x100100:], str(disk)),
        'truncated': (good[:0x100000], str(disk)),
    }
    for what, (content, text) in cases.items():
        disk.unlink(missing_ok=True)
        if content is not None:
            disk.write_bytes(content)
        out, errors = call('startvm', 'box', '--type', 'headless', expect=FAILED)
        assert text in errors and str(disk) in errors, f'{what}: {errors}'
        assert 'successfully' not in out
        until(lambda: info('box')['VMState'] == 'poweroff', 'off')
        out, _ = call('showmediuminfo', disk)
        assert 'State:          inaccessible\n' in out and re.search(r'^Access Error: +\S', out, re.M), f'{what}: {out}'
        assert content is None or disk.read_bytes() == content, f'{what}: it was written to'
    disk.write_bytes(good)
    call('startvm', 'box', '--type', 'headless')
    call('controlvm', 'box', 'poweroff')


def started_twice_at_once(world):
    make('box')
    call('modifyvm', 'box', '--memory', 16)
    client = world.client()
    machine = client.find_machine('box')
    for words in ([PROGRAM, 'startvm', 'box', '--type', 'headless'], [HEADLESS, '--startvm', 'box']):
        children = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for _ in range(6)]
        until(lambda: machine.get_state() == State.RUNNING, 'one of them runs', 30)
        if words[0] == HEADLESS:
            until(lambda children=children: sum(c.poll() is None for c in children) == 1, 'the others end', 30)
            call('controlvm', 'box', 'poweroff')
        answers = [(child.communicate(timeout=60), child.returncode) for child in children]
        won = [text for text, code in answers if code == DONE]
        assert len(won) == 1, answers
        for (_, errors), code in answers:
            assert code == DONE or code == FAILED and re.search('running already|starting', errors), (code, errors)
        if words[0] == PROGRAM:
            assert world.processes('vitrine-headless') == [machine.get_session_pid()]
            call('controlvm', 'box', 'poweroff')
        until(lambda: machine.get_state() == State.POWERED_OFF, 'off')


def started_by_two_users_of_one_disk(world):
    """Two machines of two configuration folders have the same image."""
    disk = world.root / 'disk.vdi'
    call('createmedium', '--filename', disk, '--size', 4)
    folders = [world.root / 'one', world.root / 'two']
    for folder in folders:
        os.environ['VBOX_USER_HOME'] = str(folder)
        make(f'box {folder.name}', '--default', '--basefolder', folder)
        call('storageattach', f'box {folder.name}', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type',
             'hdd', '--medium', disk)

    def start(folder):
        return subprocess.run([PROGRAM, 'startvm', f'box {folder.name}', '--type', 'headless'], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={**os.environ, 'VBOX_USER_HOME': str(folder)})
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            results = list(pool.map(start, folders))
        assert sorted(result.returncode for result in results) == [DONE, FAILED], results
        errors = next(result.stderr for result in results if result.returncode)
        assert 'in use' in errors and str(disk) in errors, errors
    finally:
        del os.environ['VBOX_USER_HOME']


def program(*words, code, text, **environment):
    """A program that ends with this code and says this."""
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False,
                            env={**os.environ, **environment})
    assert result.returncode == code, f'{words}: {result}'
    assert text in result.stderr, f'{words}: {result.stderr}'
    assert 'CRITICAL' not in result.stderr and 'WARNING' not in result.stderr, result.stderr


def wrong_arguments(world):
    program(HEADLESS, code=SYNTAX, text='--startvm NAME')
    program(HEADLESS, '--startvm', code=SYNTAX, text='--startvm')
    program(HEADLESS, '--startvm', 'x', 'y', code=SYNTAX, text='y')
    program(HEADLESS, '--fly', code=SYNTAX, text='--fly')
    program(HEADLESS, '--startvm', 'nobody', code=FAILED, text='vitrine-manage list vms')
    program(WINDOW, '--fly', code=SYNTAX, text='--fly')
    program(WINDOW, 'box', code=SYNTAX, text='box')
    program(SERVICE, '--fly', code=SYNTAX, text='--fly')
    program(SERVICE, 'box', code=SYNTAX, text='box')
    for words in ((), ('probe',), ('create', 'a', 'VDI', 'dynamic', 'big', 'x'), ('fly', 'x')):
        result = subprocess.run([WORKER, *words], capture_output=True, text=True, timeout=20, check=False)
        assert result.returncode == 1 and result.stdout.startswith('error '), (words, result)
    for folder in ('/proc/none', '/dev/null/none'):
        program(PROGRAM, 'setextradata', 'global', 'a', 'b', code=FAILED, text=folder, VBOX_USER_HOME=folder)


def no_display(world):
    make('box')
    for words in ((), ('--startvm', 'box')):
        program(WINDOW, *words, code=FAILED, text='vitrine-headless --startvm NAME')
        program(WINDOW, *words, code=FAILED, text='There is no display', DISPLAY=':973')
    began = time.monotonic()
    said('there is no display', 'startvm', 'box', '--type', 'gui')
    assert time.monotonic() - began < 20
    assert info('box')['VMState'] == 'poweroff'


if __name__ == '__main__':
    run(broken_machine_files, missing_machine_files, files_from_the_future, broken_registries, unreadable_files,
        read_only_folders, disks_that_are_gone_or_damaged, started_twice_at_once, started_by_two_users_of_one_disk,
        wrong_arguments, no_display)
