/*
 * environment.c - the strings that the starter of this program gave it.
 */
#include <stdlib.h>
#include <string.h>

#include "zx/start.h"

char *getenv(const char *name) {
    size_t length = strlen(name);
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    }
    return NULL;
}
