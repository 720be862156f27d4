# doctor.sh - read by ./jx: says what is installed, what is unfit, and what mends it.

# One line about one thing: name, verdict.
row() { printf '  %-22s %s\n' "$1" "$2"; }

# The version of a program, or that it is missing.
row_version() {
    if command -v "$1" > /dev/null 2>&1; then
        row "$1" "$("$@" 2> /dev/null | grep -m 1 '[0-9]')"
    else
        row "$1" 'missing'
    fi
}

# Boots the tiny image in one way and says how that went.
doctor_boot() {
    if reason=$(python3 "$top/tools/doctor/boot.py" "$top/build/doctor/known_good.elf" "$1" 2>&1); then
        row "known-good image, $1" 'boots'
    else
        row "known-good image, $1" "FAILS: $reason"
        unfit="$unfit
  QEMU does not boot a 20-line image by $1: the environment is at fault, not the kernel"
    fi
}

doctor() {
    unfit=''
    echo 'computer'
    row system "$(uname -srm)"
    row processors "$(nproc)"
    row 'free here' "$(df -Ph "$top" | awk 'NR == 2 { print $4 }')"
    case $(uname -s)/$(uname -m) in
    Linux/x86_64) ;;
    *) unfit="$unfit
  this needs Linux on x86_64" ;;
    esac

    echo 'tools'
    row_version clang-19 --version
    row_version ld.lld-19 --version
    row_version llvm-symbolizer-19 --version
    row_version ninja --version
    row_version python3 --version
    row_version grub-mkimage --version
    row_version xorriso -version
    row_version mformat --version
    row_version qemu-system-x86_64 --version
    row_version gdb --version
    row_version spin -V
    for old in 14 15 16 17 18; do
        if command -v "clang-$old" > /dev/null 2>&1; then
            row "clang-$old" 'is too old and not used; clang-19 is'
        fi
    done

    echo 'firmware'
    if [ -e /usr/share/ovmf/OVMF.fd ]; then
        row OVMF "/usr/share/ovmf/OVMF.fd $(sha256sum /usr/share/ovmf/OVMF.fd | cut -c1-16)"
    else
        row OVMF 'missing: no UEFI boot'
    fi

    find_missing "$needs_build
$needs_run
$needs_uefi
$needs_test
$needs_gdb"
    all_missing=$missing
    find_missing "$needs_run
$(printf '%s\n' "$needs_build" | grep -E '^(clang|lld|python3)')"
    if [ -z "$missing" ]; then
        echo 'boots'
        mkdir -p "$top/build/doctor"
        if clang-19 --target=x86_64-unknown-linux-gnu -c "$top/tools/doctor/known_good.S" \
            -o "$top/build/doctor/known_good.o" &&
            ld.lld-19 -m elf_x86_64 -nostdlib -static -T "$top/tools/doctor/known_good.ld" \
                -o "$top/build/doctor/known_good.elf" "$top/build/doctor/known_good.o"; then
            doctor_boot pvh
            doctor_boot microvm
        else
            unfit="$unfit
  clang-19 and lld-19 do not build a 20-line image"
        fi
    fi

    sudo='sudo '
    [ "$(id -u)" != 0 ] || sudo=''
    if [ -n "$all_missing" ]; then
        unfit="$unfit
  missing packages; this mends it:
    ${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends$all_missing"
    fi
    if [ -n "$unfit" ]; then
        echo "verdict: unfit$unfit"
        return 1
    fi
    echo 'verdict: fit'
}
