#!/bin/sh
# frames.sh: the kernel's flags refuse a stack frame above 1 KiB (P05) and a variable-length
# array. That the kernel itself obeys is shown by its build.
set -u
flags=$(sed -n 's/^kernel_flags = //p; s/^warnings = //p' build.ninja | tr '\n' ' ')
bad=0

# Compiles the C text $2 with the kernel's flags: it must ($1) be "taken" or "refused".
try() {
    # shellcheck disable=SC2086
    if printf '%s\n' "$2" | clang-19 $flags -x c -c - -o /dev/null 2> /dev/null; then
        result=taken
    else
        result=refused
    fi
    if [ "$result" != "$1" ]; then
        echo "the kernel's flags should make this be $1: $2"
        bad=1
    fi
}
use='void use(char *p);'
try taken "$use void f(void); void f(void) { char a[900]; use(a); }"
try refused "$use void f(void); void f(void) { char a[1100]; use(a); }"
try refused "$use void f(int n); void f(int n) { char a[n]; use(a); }"
[ $bad = 0 ] && echo 'large frames and variable-length arrays are refused'
exit $bad
