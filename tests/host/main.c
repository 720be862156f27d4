int main(int c, char**v);
#include <stdio.h>
#include <stdlib.h>
#include "lib/ktest.h"
#include "lib/log.h"
#include "lib/panic.h"
static void con(const char *b, size_t n) { fwrite(b, 1, n, stderr); }
static void nothing(void) {}
static unsigned bt(uintptr_t f, uintptr_t *p, unsigned m) { return 0; }
static void NORETURN end(void) { abort(); }
static const struct panic_reporter none[] = {{0}};
const struct panic_doors panic_doors = {nothing, con, bt, end, none};
int main(int c, char **v) {
    log_set_console(con);
    struct ktest_result r = ktest_run(c > 1 ? v[1] : "all", c > 2);
    printf("ktest: %u passed, %u failed\n", r.passed, r.failed);
    return r.failed != 0;
}
