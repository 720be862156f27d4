#!/bin/sh
# models.sh [TIMES]: objects and regions in lock step with their models, on the host under
# ASan and UBSan: a million steps of objects of all kinds, those with a pager among them
# (or TIMES as many), half with page maps of fan-out 64, half of 2; then mappings under faults, regions, and four worlds at once under
# TSan. Seeds are printed; what fails prints the few steps that are enough.
set -u
times=${1:-1}
out=build/models
passed=0 failed=0
mkdir -p $out

# name, then the program and its words; in the background
begin() {
    name=$1 program=$2
    shift 2
    ("build/$program/model" "$@" > $out/"$name" 2>&1; echo $? > $out/"$name".code) &
}
finish() {
    wait
    for name in "$@"; do
        if [ "$(cat $out/"$name".code)" = 0 ]; then
            passed=$((passed + 1))
            tail -2 $out/"$name" | sed "s/^/$name: /"
        else
            failed=$((failed + 1))
            echo "$name: FAILED"
            tail -60 $out/"$name"
        fi
    done
}

begin objects host objects --device 1 --steps $((500000 * times))
begin objects-small small objects --device 1 --steps $((500000 * times))
finish objects objects-small
begin faults host faults --device 1 --steps $((100000 * times))
begin faults-small small faults --device 1 --steps $((100000 * times))
finish faults faults-small
begin spaces host spaces --steps $((300000 * times))
begin threads tsan objects --device 1 --threads 4 --steps $((30000 * times))
finish spaces threads
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
