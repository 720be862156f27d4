#!/usr/bin/env python3
"""mkinitrd.py [--base ARCHIVE] OUT PATH=FILE...: writes a newc cpio archive, the initrd.

File data starts on a page of the archive, so that programs are mapped without a
copy: newc aligns data to 4 bytes only, so each name is padded with NULs (readers
stop at the first one). A name field of more than 4096 bytes makes Linux skip the
file; where the padding would pass that, an entry `.` with a padded name goes in
front. With --base the entries of an archive that this program wrote come first. The result depends on names and contents only, never on time or place.
"""
import os
import sys

PAGE = 4096
HEADER = 110
NAME_MAX = 4096


def pad4(data):
    return data + b'\0' * (-len(data) % 4)


def entry(name, data, inode, mode, name_size):
    """One archive member whose name field is `name_size` bytes."""
    fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, name_size, 0]
    head = b'070701' + b''.join(b'%08x' % field for field in fields)
    return pad4(head + name.encode().ljust(name_size, b'\0')) + pad4(data)


def name_size_to_page(offset, name):
    """The size of the name field that puts the data at `offset` on a page."""
    least = len(name.encode()) + 1
    start = offset + HEADER + least
    return least + (-start % PAGE)


def archive(files, out=b''):
    """The archive of [(path, data, executable)], behind the entries of `out`."""
    inode = 1 if not out else 0x10000
    folders = set()
    for path, data, executable in files:
        parts = path.split('/')[:-1]
        for depth in range(1, len(parts) + 1):
            folder = '/'.join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                out += entry(folder, b'', inode, 0o040755, len(folder.encode()) + 1)
                inode += 1
        size = name_size_to_page(len(out), path)
        if size > NAME_MAX:
            # The filler takes nearly all of the padding, and the name the last bytes of it.
            gap = size - len(path.encode()) - 1
            out += entry('.', b'', inode, 0o040755, gap // 4 * 4 - HEADER)
            inode += 1
            size = name_size_to_page(len(out), path)
        out += entry(path, data, inode, 0o100755 if executable else 0o100644, size)
        inode += 1
    out += entry('TRAILER!!!', b'', 0, 0, 11)
    return out + b'\0' * (-len(out) % PAGE)


def entries_of(path):
    """The entries of an archive that this program wrote, without its trailer."""
    with open(path, 'rb') as file:
        data = file.read()
    end = data.rfind(b'TRAILER!!!\0') - HEADER
    if end < 0 or data[end:end + 6] != b'070701':
        sys.exit(f'mkinitrd: {path} is not an archive')
    return data[:end]


def read_files(arguments):
    files = []
    for argument in arguments:
        path, _, source = argument.partition('=')
        path = path.lstrip('/')
        parts = path.split('/')
        if not source or not path or '.' in parts or '..' in parts or '' in parts:
            sys.exit(f'mkinitrd: not PATH=FILE: {argument}')
        if len(path.encode()) > 255:
            sys.exit(f'mkinitrd: name too long: {path}')
        with open(source, 'rb') as file:
            data = file.read()
        files.append((path, data, data.startswith(b'\x7fELF') or os.access(source, os.X_OK)))
    return files


def write(out, base, arguments):
    """Writes the archive `out`: the entries of `base`, if there is one, then the arguments."""
    data = archive(read_files(arguments), entries_of(base) if base else b'')
    temporary = f'{out}.tmp'
    with open(temporary, 'wb') as file:
        file.write(data)
    os.replace(temporary, out)


def main():
    arguments = sys.argv[1:]
    base = None
    if arguments[:1] == ['--base']:
        base = arguments[1]
        arguments = arguments[2:]
    if not arguments:
        sys.exit(__doc__)
    write(arguments[0], base, arguments[1:])


if __name__ == '__main__':
    main()
