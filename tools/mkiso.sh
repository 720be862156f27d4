#!/bin/sh
# mkiso.sh OUT KERNEL INITRD [WORDS...]: a small bootable CD for BIOS and UEFI.
#
# GRUB's two core images are made here with the boot commands baked in, so there is
# no menu, no configuration file and nothing on the serial line before the kernel.
# All times and serial numbers are fixed: equal inputs give an equal image.
set -eu
out=$1 kernel=$2 initrd=$3
shift 3

export SOURCE_DATE_EPOCH=1577836800 TZ=UTC LC_ALL=C MTOOLS_SKIP_CHECK=1
work=$out.tmp.$$
rm -rf "$work"
mkdir -p "$work/root/boot"
trap 'rm -rf "$work"' EXIT

cp "$kernel" "$work/root/boot/kernel.elf"
cp "$initrd" "$work/root/boot/initrd.cpio"
{
    echo 'search --no-floppy --set=root --file /boot/kernel.elf'
    printf 'multiboot2 /boot/kernel.elf'
    for word; do
        # Quoted for GRUB: a quote ends the string, is escaped, and opens it again.
        printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
    done
    printf '\nmodule2 /boot/initrd.cpio\nboot\n'
} > "$work/early.cfg"

common='iso9660 multiboot2 search search_fs_file boot'
# shellcheck disable=SC2086
grub-mkimage -O i386-pc-eltorito -p /boot/grub -c "$work/early.cfg" \
    -o "$work/root/boot/bios.img" biosdisk $common
# shellcheck disable=SC2086
grub-mkimage -O x86_64-efi -p /boot/grub -c "$work/early.cfg" \
    -o "$work/BOOTX64.EFI" $common efi_gop part_gpt part_msdos

touch -d "@$SOURCE_DATE_EPOCH" "$work/BOOTX64.EFI"
truncate -s 512K "$work/root/boot/efi.img"
mformat -i "$work/root/boot/efi.img" -T 1024 -h 1 -s 1 -c 1 -N 4a43494e -v EFI ::
mmd -i "$work/root/boot/efi.img" ::EFI ::EFI/BOOT
mcopy -m -i "$work/root/boot/efi.img" "$work/BOOTX64.EFI" ::EFI/BOOT/BOOTX64.EFI

find "$work/root" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
xorriso -as mkisofs -quiet -o "$work/image" -R -V JACINTH \
    -b boot/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \
    -eltorito-alt-boot -e boot/efi.img -no-emul-boot "$work/root" > "$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
mv "$work/image" "$out"
