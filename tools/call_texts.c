/*
 * call_texts.c - reads the texts of docs/calls, and compares them with the table.
 */
#include "call_texts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/types.h>

#include "syscall/expand.h"

/* ---- The table ---- */

#define NEEDS_NOTHING {{-1, NULL, NULL}, {-1, NULL, NULL}}
#define NEEDS(i, type, ...) {{i, #type, #__VA_ARGS__}, {-1, NULL, NULL}}
#define NEED_PAIR(i, type, ...) {i, #type, #__VA_ARGS__}
#define NEEDS2(first, second) {NEED_PAIR first, NEED_PAIR second}
#define PAIR_ROW(i, kind, argument_name) {#kind, #argument_name}

#define SYSCALL(name, text, needs, ...)                                                            \
    {"kernel", "zx_status_t", #name, text, needs, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},              \
     PAIR_COUNT(__VA_ARGS__)},
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    {"kernel", "void", #name, text, needs, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},                     \
     PAIR_COUNT(__VA_ARGS__)},
#define SYSCALL_INNER(name, text, needs, ...)
#define VDSO_CALL(type, name, text, ...)                                                           \
    {"vDSO", #type, #name, text, NEEDS_NOTHING, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},                     \
     PAIR_COUNT(__VA_ARGS__)},

const struct row rows[] = {
#include "syscall/syscalls.def"
};
const size_t row_count = sizeof rows / sizeof rows[0];

static const struct kind kinds[] = {
#define KIND(name, passed, user) {#name, #passed, #user},
#include "syscall/kinds.def"
#undef KIND
};

const struct kind *kind_of(const struct argument *argument) {
    const struct kind *kind = kinds;
    while (strcmp(kind->name, argument->kind) != 0)
        kind++;
    return kind;
}

bool is_vdso(const struct row *row) { return strcmp(row->where, "vDSO") == 0; }

const struct need *need_of(const struct row *row, const char *argument, size_t length) {
    for (int i = 0; i < 2; i++) {
        const struct need *need = &row->needs[i];
        if (need->argument >= 0 && strlen(row->arguments[need->argument].name) == length &&
            strncmp(row->arguments[need->argument].name, argument, length) == 0)
            return need;
    }
    return NULL;
}

const struct argument *argument_find(const struct row *row, const char *name,
                                            size_t length) {
    for (int i = 0; i < row->argument_count; i++)
        if (strlen(row->arguments[i].name) == length &&
            strncmp(row->arguments[i].name, name, length) == 0)
            return &row->arguments[i];
    return NULL;
}

/* ---- Files and lines ---- */

#define LINES_MAX 20000
struct line lines[LINES_MAX];
static int line_count;
static bool failed;

__attribute__((format(printf, 2, 3))) static void complain(const struct line *at,
                                                           const char *format, ...) {
    va_list args;
    if (at)
        fprintf(stderr, "%s:%d: ", at->file, at->number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    failed = true;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    size_t length = 0;
    char *text = calloc(1, 1 << 20);
    if (file && text)
        length = fread(text, 1, (1 << 20) - 1, file);
    if (!file || !text || length == 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    return text;
}

void texts_read(const char *path) {
    int number = 0;
    char *next, *text = read_file(path);
    for (char *at = text; at && *at; at = next) {
        next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        if (line_count < LINES_MAX)
            lines[line_count++] = (struct line){path, at, ++number};
    }
}

bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}
static bool is_code(const char *text) { return *text == '\0' || starts_with(text, "    "); }

/* Without the empty lines at both ends. */
static struct range trimmed(struct range range) {
    while (range.from < range.to && lines[range.from].text[0] == '\0')
        range.from++;
    while (range.from < range.to && lines[range.to - 1].text[0] == '\0')
        range.to--;
    return range;
}

/* ---- Sections ---- */

struct section sections[SECTIONS_MAX];
int section_count;

static const char *name_of(const struct section *section) {
    return lines[section->title].text + strlen("## zx_");
}

/* What follows the title, up to the next; lines that begin a part are in no part. */
static void split_section(struct section *section, int end) {
    struct range *part = &section->body;
    *part = (struct range){section->title + 1, end};
    for (int i = section->title + 1; i < end; i++) {
        const char *text = lines[i].text;
        bool errors = starts_with(text, "Errors:");
        bool code = strcmp(text, "Example:") == 0 || strcmp(text, "Setup:") == 0;
        if (starts_with(text, "Rights: ")) {
            section->rights = text + strlen("Rights: ");
            part->to = i;
        } else if (errors || code) {
            part->to = part->to == end ? i : part->to;
            part = errors ? &section->errors : &section->code;
            *part = (struct range){i + 1, end};
            *(errors ? &section->has_errors : &section->has_code) = true;
            if (errors && strcmp(text, "Errors: none") != 0 && text[7] != '\0')
                complain(&lines[i], "'Errors:' or 'Errors: none'");
        } else if (part == &section->code && !is_code(text)) {
            complain(&lines[i], "code is indented by four spaces");
        }
    }
    section->body = trimmed(section->body);
    section->errors = trimmed(section->errors);
    section->code = trimmed(section->code);
}

static const struct row *row_find(const char *name) {
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool texts_split(void) {
    int group = -1;
    for (int i = 0; i < line_count; i++) {
        const char *text = lines[i].text;
        bool head = starts_with(text, "# ");
        if (!head && !starts_with(text, "## zx_"))
            continue;
        group = head ? section_count : group;
        sections[section_count++] = (struct section){.title = i, .group = group};
    }
    for (int i = 0; i < section_count; i++) {
        struct section *section = &sections[i];
        split_section(section, i + 1 < section_count ? sections[i + 1].title : line_count);
        if (section->group == i)
            continue;
        section->row = row_find(name_of(section));
        if (!section->row)
            complain(&lines[section->title], "no such call: zx_%s", name_of(section));
    }
    return !failed;
}

const struct section *section_of(const struct row *row) {
    for (int i = 0; i < section_count; i++)
        if (sections[i].row == row)
            return &sections[i];
    return NULL;
}

/* ---- Checks ---- */

static char *error_names;

static bool errors_contain(const struct section *section, const char *format, const char *name) {
    char text[80];
    snprintf(text, sizeof text, format, name);
    for (int i = section->errors.from; i < section->errors.to; i++) {
        const char *found = strstr(lines[i].text, text);
        char next = found ? found[strlen(text)] : '_';
        if (found && (next == '\0' || !(isalnum((unsigned char)next) || next == '_')))
            return true;
    }
    return false;
}

static void check_item(const struct section *section, const struct line *line) {
    const char *item = line->text + 2;
    char wanted[48];
    if (starts_with(line->text, "  "))
        return;
    if (!starts_with(line->text, "- "))
        complain(line, "an error begins with '- '");
    else if ((*item == '@' || *item == '&') &&
             !argument_find(section->row, item + 1, strcspn(item + 1, " ")))
        complain(line, "zx_%s has no such argument", section->row->name);
    if (!isupper((unsigned char)*item))
        return;
    while (*item && *item != ':') {
        int length = (int)strcspn(item, ",:");
        snprintf(wanted, sizeof wanted, "#define ZX_ERR_%.*s ", length, item);
        if (!strstr(error_names, wanted))
            complain(line, "no such error: %.*s", length, item);
        item += length;
        item += strspn(item, ", ");
    }
}

/* The handles and pointers of the call are all spoken of. */
static void check_errors(const struct section *section) {
    const struct row *row = section->row;
    const struct line *title = &lines[section->title];
    for (int i = section->errors.from; i < section->errors.to; i++)
        check_item(section, &lines[i]);
    for (int i = 0; i < row->argument_count && !is_vdso(row); i++) {
        const struct argument *argument = &row->arguments[i];
        bool needed = need_of(row, argument->name, strlen(argument->name)) != NULL;
        bool pointer = kind_of(argument)->passed[0] == 'i' || kind_of(argument)->passed[0] == 'o';
        pointer &= strcmp(kind_of(argument)->passed, "i32") != 0 &&
                   strcmp(kind_of(argument)->passed, "i64") != 0;
        if (needed && !errors_contain(section, "@%s", argument->name))
            complain(title, "no item '@%s'", argument->name);
        if (pointer && !errors_contain(section, "&%s", argument->name) &&
            !errors_contain(section, "`%s`", argument->name))
            complain(title, "no error speaks of `%s`", argument->name);
    }
}

static bool code_calls(const struct section *section, const char *name) {
    char text[80];
    snprintf(text, sizeof text, "zx_%s(", name);
    for (int i = section->code.from; i < section->code.to; i++)
        if (strstr(lines[i].text, text))
            return true;
    return false;
}

/* What ends a thread is called by a function that the group's examples share. */
static bool may_be_shared(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, "_exit") == 0;
}

static void check_example(const struct section *section) {
    const char *name = section->row->name;
    bool shared = may_be_shared(name) && code_calls(&sections[section->group], name);
    if (section->code.from == section->code.to)
        complain(&lines[section->title], "no 'Example:'");
    else if (!shared && !code_calls(section, name))
        complain(&lines[section->title], "the example does not call it");
}

bool texts_check(void) {
    error_names = read_file("include/zircon/errors.h");
    for (size_t i = 0; i < row_count; i++) {
        const struct section *section = section_of(&rows[i]);
        if (!section) {
            complain(NULL, "zx_%s: no text in docs/calls", rows[i].name);
            continue;
        }
        const struct line *title = &lines[section->title];
        if (section->body.from == section->body.to)
            complain(title, "no description");
        if (!section->has_errors)
            complain(title, "no 'Errors:'");
        check_example(section);
        check_errors(section);
    }
    for (int i = 0; i < section_count; i++)
        if (sections[i].row && section_of(sections[i].row) != &sections[i])
            complain(&lines[sections[i].title], "a second text for one call");
    return !failed;
}
