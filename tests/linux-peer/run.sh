#!/usr/bin/env bash
# Boot Debian's packaged Linux under QEMU TCG with bench.c (and its rows) as /init and
# print a TSV table of primitive-operation costs on stdout; everything else on stderr.
# See README.md.  Exits 0 only if every row was produced and the guest finished.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
icount=0 smp=1 mit=off pkg=cloud cpu=max mem=1024 thread=single tsc=reliable
limit=420 scale=100 append="" out="" env="" kernel="" build_only=0

usage() {
    cat >&2 <<U
usage: run.sh [options]
  --icount 0|1        1: -icount shift=0,sleep=off, 1 instruction = 1 virtual ns (default 0)
  --smp N             number of CPUs (default 1); with >1 the *_xcpu rows appear
  --thread single|multi  TCG threading (default single; multi excludes --icount 1)
  --mitigations off|default|pti   off: mitigations=off; default: nothing on the
                      command line; pti: default plus pti=on (default off)
  --cpu MODEL         QEMU -cpu (default max; e.g. max,-erms,-fsrm,-la57)
  --tsc reliable|default  reliable: adds tsc=reliable clocksource=tsc (default reliable)
  --pkg cloud|generic Debian kernel flavour (default cloud)
  --kernel FILE       use this bzImage instead of fetching a package
  --mem MIB           guest memory (default 1024)
  --scale PCT         scale sample counts (default 100)
  --only SUBSTR       only rows whose name contains SUBSTR
  --append STR        extra kernel command line; NAME=VALUE reaches bench (BFIFO=1)
  --timeout S         limit for the guest run in seconds (default 420)
  --out DIR           keep console.log, table.tsv and info.txt in DIR
  --build-only        fetch and build, do not boot
U
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --build-only) build_only=1; shift; continue ;;
    -h | --help) usage ;;
    esac
    [ $# -ge 2 ] || usage
    case $1 in
    --icount) icount=$2 ;;
    --smp) smp=$2 ;;
    --thread) thread=$2 ;;
    --mitigations) mit=$2 ;;
    --cpu) cpu=$2 ;;
    --tsc) tsc=$2 ;;
    --pkg) pkg=$2 ;;
    --kernel) kernel=$2 ;;
    --mem) mem=$2 ;;
    --scale) scale=$2 ;;
    --only) env+=" BONLY=$2" ;;
    --append) append+=" $2" ;;
    --timeout) limit=$2 ;;
    --out) out=$2 ;;
    *) usage ;;
    esac
    shift 2
done
die() { echo "run.sh: $*" >&2; exit 1; }
for t in qemu-system-x86_64 cpio timeout flock; do
    command -v $t >/dev/null || die "$t not found"
done

if [ "$icount" = 1 ] && [ "$smp" -gt 1 ] && [ "${FORCE:-0}" != 1 ]; then
    die "--icount 1 with --smp $smp: QEMU 7.2 hangs while Linux brings up CPU 1 (FORCE=1 to try)"
fi

# ---- fetch and build (once; under a lock so that runs may overlap) -----------
build=${LINUX_PEER_BUILD:-$here/build}
mkdir -p "$build"
exec 9>"$build/.lock"
flock -w 600 9 || die "build lock"

fetch_kernel() {
    local meta dep tmp deb
    case $pkg in
    cloud) meta=linux-image-cloud-amd64 ;;
    generic) meta=linux-image-amd64 ;;
    *) die "--pkg cloud|generic" ;;
    esac
    kernel=$build/vmlinuz-$pkg
    [ -s "$kernel" ] && return
    tmp=$(mktemp -d "$build/fetch.XXXXXX")
    local try
    for try in 1 2; do
        dep=$(apt-cache depends "$meta" 2>/dev/null |
            sed -n 's/^ *Depends: *\(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
        if [ -n "$dep" ] && (cd "$tmp" && timeout 300 apt-get -qq -o APT::Sandbox::User=root \
            download "$dep" >&2); then
            break
        fi
        [ $try = 1 ] || { rm -rf "$tmp"; die "cannot download $meta"; }
        timeout 300 apt-get -qq update >&2 || { rm -rf "$tmp"; die "apt-get update"; }
    done
    deb=$(echo "$tmp"/*.deb)
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp" --wildcards './boot/vmlinuz-*' './boot/config-*'
    basename "$deb" >"$build/package-$pkg"
    cp "$tmp"/boot/config-* "$build/config-$pkg"
    mv "$tmp"/boot/vmlinuz-* "$kernel"
    rm -rf "$tmp"
}
[ -n "$kernel" ] || fetch_kernel
[ -s "$kernel" ] || die "no kernel image at $kernel"

initrd=$build/initramfs.cpio
if [ ! -s "$initrd" ] || [ -n "$(find "$here" -maxdepth 1 -name '*.[ch]' -newer "$initrd")" ]; then
    root=$(mktemp -d "$build/root.XXXXXX")
    mkdir "$root/proc" "$root/sys" "$root/dev"
    ${CC:-clang-19} -O2 -g0 -static -pthread -Wall -Wextra -Wno-unused-value -Wl,--build-id=none \
        -o "$root/init" "$here"/{bench,measure,memory,ipc,tasks,machine}.c
    ${CC:-clang-19} -O2 -g0 -static -nostdlib -fno-asynchronous-unwind-tables \
        -fcf-protection=none -Wl,--build-id=none -Wl,-z,noseparate-code \
        -o "$root/spawn_child" "$here/spawn_child.c"
    strip "$root/init" "$root/spawn_child"
    find "$root" -exec touch -h -d @0 {} +
    (cd "$root" && find . -mindepth 1 | sort |
        cpio --quiet -o -H newc -R 0:0 --reproducible) >"$initrd.tmp"
    mv "$initrd.tmp" "$initrd"
    rm -rf "$root"
fi
flock -u 9
exec 9>&-
[ $build_only = 0 ] || exit 0

# ---- boot ----------------------------------------------------------------------
cmdline="console=ttyS0 quiet panic=-1"
case $mit in
off) cmdline+=" mitigations=off" ;;
default) ;;
pti) cmdline+=" pti=on" ;;
*) usage ;;
esac
case $tsc in
reliable) cmdline+=" tsc=reliable clocksource=tsc" ;;
default) ;;
*) usage ;;
esac
args=(-nodefaults -no-user-config -display none -monitor none -no-reboot
    -cpu "$cpu" -m "$mem" -smp "$smp"
    -chardev stdio,id=s0,signal=off -serial chardev:s0
    -kernel "$kernel" -initrd "$initrd")
if [ "$icount" = 1 ]; then
    # everything the guest can see of the host's time or randomness is fixed,
    # so that a run is repeatable to the instruction
    args+=(-accel tcg,thread=single -icount shift=0,sleep=off
        -seed 1 -rtc base=2024-01-01T00:00:00,clock=vm)
    cmdline+=" nokaslr"
else
    args+=(-accel "tcg,thread=$thread")
fi
cmdline+="$append BSCALE=$scale$env"
args+=(-append "$cmdline")

work=$(mktemp -d)
qpid=
cleanup() {
    [ -z "$qpid" ] || kill "$qpid" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
log=$work/console.log
mkfifo "$work/pipe"
: >"$log"
start=$EPOCHREALTIME
timeout -k 5 "$limit" qemu-system-x86_64 "${args[@]}" </dev/null >"$work/pipe" 2>"$work/qemu.err" &
qpid=$!
first=
while IFS= read -r line; do
    line=${line%$'\r'}
    if [ -z "$first" ] && [[ $line == *PEER-INIT* ]]; then first=$EPOCHREALTIME; fi
    printf '%s\n' "$line" >>"$log"
done <"$work/pipe"
rc=0
wait "$qpid" || rc=$?
qpid=
end=$EPOCHREALTIME

# ---- report ---------------------------------------------------------------------
us() { echo $((10#${1/./} - 10#${start/./})); }
info=$work/info.txt
{
    echo "qemu	$(qemu-system-x86_64 --version | head -n 1)"
    echo "accel	icount=$icount thread=$thread smp=$smp cpu=$cpu mem=${mem}MiB"
    echo "cmdline	$cmdline"
    echo "kernel_package	$(cat "$build/package-$pkg" 2>/dev/null || echo "--kernel")"
    echo "vmlinuz_bytes	$(stat -c %s "$kernel")"
    echo "initramfs_bytes	$(stat -c %s "$initrd")"
    [ -z "$first" ] || echo "boot_to_init_wall_s	$(awk -v u="$(us "$first")" 'BEGIN{printf "%.3f", u/1e6}')"
    echo "total_wall_s	$(awk -v u="$(us "$end")" 'BEGIN{printf "%.3f", u/1e6}')"
    sed -n 's/^.*PEER-INIT /boot_at_init	/p' "$log"
    sed -n 's/^INFO	//p' "$log"
    flags=" $(sed -n 's/^INFO	.proc.cpuinfo	flags[^:]*: *//p' "$log" | head -n 1) "
    if [ "$flags" != "  " ]; then
        have= lack=
        for f in smep smap umip pcid invpcid fsgsbase x2apic tsc_deadline_timer xsave xsaveopt \
            xsavec xsaves avx avx2 pdpe1gb la57 pku ospke rdrand rdseed nx constant_tsc \
            nonstop_tsc rdtscp erms fsrm clflushopt clwb svm hypervisor; do
            [[ $flags == *" $f "* ]] && have+=" $f" || lack+=" $f"
        done
        echo "flags_present	$have"
        echo "flags_absent	$lack"
    fi
} >"$info"
{
    printf 'name\tmin\tmedian\tmean\ttsc_min\ttsc_median\ttsc_mean\tsamples\tbatch\n'
    sed -n 's/^ROW	//p' "$log"
} >"$work/table.tsv"
if [ -n "$out" ]; then
    mkdir -p "$out"
    cp "$log" "$info" "$work/table.tsv" "$work/qemu.err" "$out/"
fi
sed 's/^/# /' "$info" >&2
if [ $rc -ne 0 ] || ! grep -q '^PEER-DONE' "$log" || grep -q 'PEER-FAIL' "$log"; then
    {
        echo "run.sh: guest did not finish (qemu status $rc); last console lines:"
        tail -n 25 "$log"
        cat "$work/qemu.err"
    } >&2
    exit 1
fi
cat "$work/table.tsv"
