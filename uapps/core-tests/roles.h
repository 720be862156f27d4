/*
 * roles.h - what this program does when a test starts it again as a child.
 */
#pragma once

#include <stdbool.h>

bool role_is_known(const char *name);
int role_play(int argc, char **argv);
