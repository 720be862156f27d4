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

# Of each file of the kernel's memory (or what JX_COVERAGE matches): edges that the corpus reaches.
show_coverage() {
    echo "$1: $(grep -o 'cov: [0-9]* ft: [0-9]*' build/fuzz/log | tail -1)"
    grep -E "^(UN)?COVERED_FUNC:.* ${JX_COVERAGE:-kernel/vm/}" build/fuzz/log |
        sed -E 's|.*edges: ([0-9]+)/([0-9]+) .* ([^ :]+):[0-9]+$|\1 \2 \3|' |
        awk '{ reached[$3] += $1; all[$3] += $2 }
             END { for (file in all)
                 printf "    %3d %% of %4d edges of %s\n", 100 * reached[file] / all[file],
                        all[file], file }' | grep -v '_test\.c\|    0 %' | sort -k6
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
            show_coverage "$name"
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
