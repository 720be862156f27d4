#!/bin/sh
# run.sh [--coverage] [SECONDS [NAME...]]: each fuzzer (or those named) for a while, from
# its corpus in tests/fuzz/corpus; what it finds lies in build/fuzz/found. With --coverage
# nothing is searched: each is given its corpus, and prints how much of the code it reaches.
set -u
coverage=
[ "${1:-}" = --coverage ] && coverage=1 && shift
seconds=${1:-5} passed=0 failed=0
[ $# -gt 0 ] && shift
mkdir -p build/fuzz/found

# The functions that the corpus reaches, counted by file, most first.
show_coverage() {
    echo "$2: $(grep -o 'cov: [0-9]* ft: [0-9]*' build/fuzz/log | tail -1)"
    grep -o '^COVERED_FUNC:.* kernel/[a-z/_0-9]*\.c' build/fuzz/log | grep -o 'kernel/.*' |
        sort | uniq -c | sort -rn | head -"${JX_COVERAGE_FILES:-8}"
}

for fuzzer in build/fuzz/f_*; do
    name=${fuzzer##*/}
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    case " $* " in *" $name "*|"  ") ;; *) continue ;; esac
    corpus=build/fuzz/corpus-$name
    kept=$(ls -d tests/fuzz/corpus/"$name" 2> /dev/null)
    mkdir -p "$corpus"
    if [ "$coverage" ]; then
        limits='-runs=0 -print_coverage=1 -print_full_coverage=0'
        corpus=$kept
    else
        limits="-max_total_time=$seconds"
    fi
    # shellcheck disable=SC2086 # the options are words, and there may be no corpus
    if "$fuzzer" $limits -seed=1 -timeout=10 -max_len=65536 \
        -artifact_prefix=build/fuzz/found/ $corpus $kept > build/fuzz/log 2>&1; then
        if [ "$coverage" ]; then
            show_coverage build/fuzz/log "$name"
        else
            echo "$fuzzer: $(grep -o '^Done [0-9]* runs' build/fuzz/log)," \
                "$(grep -o 'cov: [0-9]*' build/fuzz/log | tail -1)"
        fi
        passed=$((passed + 1))
    else
        echo "$fuzzer: FAILED"
        tail -40 build/fuzz/log
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
