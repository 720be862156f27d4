#!/bin/sh
# reproducible.sh: a second build, in a folder of another name, gives the same images.
set -eu
other=$(mktemp -d /tmp/jx-another-place-XXXXXX)
trap 'rm -rf "$other"' EXIT
tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$other"
ninja --quiet -C "$other" images
bad=0
for image in kernel.elf debug/kernel.elf release/kernel.elf vdso/vdso.elf initrd.cpio jacinth.iso; do
    if [ ! -e "build/$image" ]; then
        echo "$image: not built"
        bad=1
    elif cmp "build/$image" "$other/build/$image"; then
        echo "$image: the same"
    else
        bad=1
    fi
done
exit $bad
