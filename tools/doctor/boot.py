#!/usr/bin/env python3
"""boot.py KERNEL pvh|microvm|bios|uefi: boots the known-good image; 0 if it spoke."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import machine  # noqa: E402


def main():
    heard = {'com1': b'', 'log': b''}

    def hear(name):
        def sink(data):
            heard[name] += data
        return sink

    options = machine.Options(kernel=sys.argv[1], boot=sys.argv[2], initrd=None, memory='64M')
    with machine.Machine(options) as running:
        pump = machine.Pump(running, {name: hear(name) for name in heard})
        if not pump.run(30):
            print('no end after 30 s')
            return 1
        status, complaint = running.wait(5), running.complaint()
    if status != machine.STATUS_OK:
        print(f'QEMU status {status} instead of {machine.STATUS_OK}: {complaint}')
        return 1
    for name, text in heard.items():
        if b'jx: known good' not in text:
            print(f'nothing came by {name}')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
