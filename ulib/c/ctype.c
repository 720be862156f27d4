/*
 * ctype.c - kinds of ASCII characters; every other value has none.
 */
#include <ctype.h>

static int is_in(int c, int first, int last) { return c >= first && c <= last; }

int isdigit(int c) { return is_in(c, '0', '9'); }
int islower(int c) { return is_in(c, 'a', 'z'); }
int isupper(int c) { return is_in(c, 'A', 'Z'); }
int isalpha(int c) { return islower(c) || isupper(c); }
int isalnum(int c) { return isalpha(c) || isdigit(c); }
int isblank(int c) { return c == ' ' || c == '\t'; }
int iscntrl(int c) { return is_in(c, 0, 31) || c == 127; }
int isgraph(int c) { return is_in(c, 33, 126); }
int isprint(int c) { return is_in(c, 32, 126); }
int ispunct(int c) { return isgraph(c) && !isalnum(c); }
int isspace(int c) { return c == ' ' || is_in(c, '\t', '\r'); }
int isxdigit(int c) { return isdigit(c) || is_in(c, 'a', 'f') || is_in(c, 'A', 'F'); }
int tolower(int c) { return isupper(c) ? c + ('a' - 'A') : c; }
int toupper(int c) { return islower(c) ? c - ('a' - 'A') : c; }
