/*
 * strings.h - comparisons that ignore case; declared by <string.h> as well.
 */
#pragma once

#include <string.h>
