/*
 * mksyscalls.c - makes docs/SYSCALLS.md, and a program of its examples.
 *
 *     mksyscalls [FILE...]           prints the document
 *     mksyscalls --examples FILE...  prints C, a TEST for each example
 *
 * The table of calls is kernel/syscall/syscalls.def; what a table cannot say is in the
 * files, by default those of docs/calls; docs/calls/README tells their form. The document
 * is printed only if each call of the table has a description, its errors and an example,
 * and each text a call. Run in the top folder. What the kernel refuses for now is in
 * refusals.inc; core-tests asks the kernel whether it is so.
 */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "call_texts.h"

/* ---- Errors ---- */

/* How a type is called in a sentence; `noun` is the text's own word for it, or empty. */
static const char *noun_of(const char *type, const char *noun) {
    static const char *const capitals[] = {"VMO", "VMAR", "FIFO", "BTI", "PMT", "IOMMU"};
    static char lower[32];
    if (*noun)
        return noun;
    for (size_t i = 0; i < sizeof capitals / sizeof capitals[0]; i++)
        if (strcmp(capitals[i], type) == 0)
            return type;
    size_t i = 0;
    for (; type[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)type[i]);
    lower[i] = '\0';
    return lower;
}

/* @argument [noun]: what is wrong with a handle, in the order of checks. */
static void print_handle_errors(const struct row *row, const char *item) {
    size_t length = strcspn(item, " ");
    const struct need *need = need_of(row, item, length);
    printf("- `ZX_ERR_BAD_HANDLE`: `%.*s` is not a handle", (int)length, item);
    const char *noun = item[length] ? item + length + 1 : "";
    bool right_first = need && (strcmp(need->type, "ANY") == 0 || strcmp(need->type, "TASK") == 0);
    bool has_right = need && strcmp(need->rights, "NOTHING") != 0;
    if (has_right && right_first)
        printf("; `ZX_ERR_ACCESS_DENIED`: it lacks %s", need->rights);
    if (need && strcmp(need->type, "ANY") != 0)
        printf("; `ZX_ERR_WRONG_TYPE`: it is no %s", noun_of(need->type, noun));
    if (has_right && !right_first)
        printf("; `ZX_ERR_ACCESS_DENIED`: it lacks %s", need->rights);
    printf(".\n");
}

/* &argument &argument: pointers that the kernel follows here. */
static void print_pointer_errors(const struct row *row, const char *item) {
    const char *separator = "- `ZX_ERR_INVALID_ARGS`: ";
    while (*item == '&') {
        size_t length = strcspn(++item, " ");
        const struct argument *argument = argument_find(row, item, length);
        bool in = argument && strcmp(kind_of(argument)->passed, "in") == 0;
        printf("%s`%.*s` cannot be %s", separator, (int)length, item, in ? "read" : "written");
        separator = ", or ";
        item += length + (item[length] == ' ');
    }
    printf(".\n");
}

/* NAME, NAME: text. */
static void print_named_errors(const char *item) {
    printf("- ");
    for (; *item && *item != ':'; item += strspn(item, ", ")) {
        size_t length = strcspn(item, ",:");
        printf("`ZX_ERR_%.*s`%s", (int)length, item, item[length] == ',' ? ", " : "");
        item += length;
        if (*item == ':')
            break;
    }
    printf("%s\n", item);
}

static void print_errors(const struct section *section) {
    for (int i = section->errors.from; i < section->errors.to; i++) {
        const char *text = lines[i].text;
        const char *item = text + 2;
        if (!starts_with(text, "- "))
            printf("%s\n", text); /* goes on */
        else if (*item == '@')
            print_handle_errors(section->row, item + 1);
        else if (*item == '&')
            print_pointer_errors(section->row, item);
        else if (*item == '!')
            printf("- `ZX_ERR_ACCESS_DENIED`: the job's policy forbids %s.\n", item + 1);
        else
            print_named_errors(item);
    }
}

/* ---- The document ---- */

static void print_range(struct range range) {
    for (int i = range.from; i < range.to; i++)
        printf("%s\n", lines[i].text);
}

static void print_code(struct range range) {
    printf("```c\n");
    for (int i = range.from; i < range.to; i++)
        printf("%s\n", lines[i].text[0] ? lines[i].text + 4 : "");
    printf("```\n\n");
}

static void print_synopsis(const struct row *row) {
    printf("### zx_%s\n\n```c\n%s zx_%s(", row->name, row->result, row->name);
    for (int i = 0; i < row->argument_count; i++) {
        const char *type = kind_of(&row->arguments[i])->user;
        const char *space = type[strlen(type) - 1] == '*' ? "" : " ";
        printf("%s%s%s%s", i > 0 ? ", " : "", type, space, row->arguments[i].name);
    }
    printf("%s);\n```\n\n%s%s\n\n", row->argument_count == 0 ? "void" : "", row->text,
           is_vdso(row) ? " Code of the vDSO." : "");
}

static void print_rights(const struct section *section) {
    const struct row *row = section->row;
    bool any = false;
    printf("Rights:");
    for (int i = 0; i < 2; i++) {
        const struct need *need = &row->needs[i];
        if (need->argument < 0)
            continue;
        printf("%s `%s` (%s): %s", any ? ";" : "", row->arguments[need->argument].name,
               noun_of(need->type, strcmp(need->type, "ANY") == 0 ? "any object" : ""),
               strcmp(need->rights, "NOTHING") == 0 ? "none" : need->rights);
        any = true;
    }
    if (section->rights)
        printf("%s %s", any ? "." : "", section->rights);
    printf("%s\n\n", section->rights ? "" : any ? "." : " none.");
}

static void print_call(const struct section *section) {
    print_synopsis(section->row);
    print_range(section->body);
    printf("\n");
    print_rights(section);
    if (section->errors.from == section->errors.to) {
        printf("Errors: none.\n\n");
    } else {
        printf("Errors, in the order of the checks:\n\n");
        print_errors(section);
        printf("\n");
    }
    printf("Example:\n\n");
    print_code(section->code);
}

static void print_head(const struct section *head) {
    printf("#%s\n\n", lines[head->title].text);
    print_range(head->body);
    printf("%s", head->body.from < head->body.to ? "\n" : "");
    if (head->has_code) {
        printf("The examples use:\n\n");
        print_code(head->code);
    }
}

/* A file's calls in the table's order, when the first of them is met. */
static void print_group(int group) {
    print_head(&sections[group]);
    for (size_t i = 0; i < row_count; i++) {
        const struct section *section = section_of(&rows[i]);
        if (section && section->group == group)
            print_call(section);
    }
}

static bool group_has_calls(int group) {
    return group + 1 < section_count && sections[group + 1].group == group;
}

static const char *const refusals[] = {
#include "refusals.inc"
};

static void print_document(void) {
    bool printed[sizeof sections / sizeof sections[0]] = {false};
    printf("# System calls\n\n"
           "Made by tools/mksyscalls.c of kernel/syscall/syscalls.def and docs/calls; do not edit.\n\n");
    for (int i = 0; i < section_count; i++)
        if (sections[i].group == i && !group_has_calls(i))
            print_head(&sections[i]);
    for (size_t i = 0; i < row_count; i++) {
        int group = section_of(&rows[i])->group;
        if (!printed[group])
            print_group(group);
        printed[group] = true;
    }
    printf("## Not there\n\n"
           "These give `ZX_ERR_NOT_SUPPORTED`. A call that is not in this document does not exist:\n"
           "a program that uses it does not link. ARCHITECTURE.md lists what is left out, and why.\n\n");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        printf("- %s\n", refusals[i]);
}

/* ---- The program ---- */

static void print_c(struct range range) {
    if (range.from < range.to)
        printf("#line %d \"%s\"\n", lines[range.from].number, lines[range.from].file);
    print_range(range);
}

static void print_examples(void) {
    printf("/* Made by tools/mksyscalls.c of docs/calls; do not edit. */\n"
           "#include \"examples/examples.h\"\n\n");
    for (int i = 0; i < section_count; i++)
        if (sections[i].group == i && sections[i].has_code && !group_has_calls(i))
            print_c(sections[i].code);
    for (int i = 0; i < section_count; i++) {
        const struct section *section = &sections[i];
        if (section->group == i && group_has_calls(i))
            print_c(section->code);
        if (!section->row || !section->has_code)
            continue;
        printf("\nTEST(zx_%s) {\n", section->row->name);
        print_c(section->code);
        printf("}\n");
    }
}

int main(int argc, char **argv) {
    bool examples = argc > 1 && strcmp(argv[1], "--examples") == 0;
    int first = examples ? 2 : 1;
    glob_t found = {0};
    if (first >= argc && glob("docs/calls/*.md", 0, NULL, &found) != 0) {
        fprintf(stderr, "no docs/calls/*.md: run this in the top folder\n");
        return 2;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        texts_read(found.gl_pathv[i]);
    for (int i = first; i < argc; i++)
        texts_read(argv[i]);
    if (!texts_split() || (!examples && !texts_check()))
        return 1;
    (examples ? print_examples : print_document)();
    return 0;
}
