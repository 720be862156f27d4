#!/bin/sh
# run.sh [SECONDS]: each fuzzer for a while; what it finds lies in build/fuzz/found.
set -u
seconds=${1:-5} passed=0 failed=0
mkdir -p build/fuzz/found
for fuzzer in build/fuzz/f_*; do
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    if "$fuzzer" -max_total_time="$seconds" -seed=1 -timeout=10 -max_len=65536 \
        -artifact_prefix=build/fuzz/found/ > build/fuzz/log 2>&1; then
        echo "$fuzzer: $(grep -o '^Done [0-9]* runs' build/fuzz/log)"
        passed=$((passed + 1))
    else
        echo "$fuzzer: FAILED"
        tail -40 build/fuzz/log
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
