/*
 * boot.c - what a loader would have told, and arch's steps of the boot.
 *
 * One usable range, with a hole in it where the options leave room, so that code
 * which takes RAM for one piece is found out.
 */
#include "arch/boot.h"

#include "arch/console.h"
#include "arch/host/host_internal.h"
#include "lib/log.h"
#include "lib/string.h"

#define RAM_BASE MIB(1)
#define HOLE     MIB(2)

struct boot_info boot_info;
const char kernel_image_start[1], kernel_image_end[1];

static void add_range(uint64_t base, uint64_t length, enum boot_range_kind kind) {
    boot_info.ranges[boot_info.range_count++] = (struct boot_range){base, length, kind};
}

void host_boot_init(const struct host_options *options) {
    uint64_t half = round_down(options->memory / 2, PAGE_SIZE);

    boot_info.loader = "host";
    string_copy(boot_info.cmdline, sizeof(boot_info.cmdline),
                options->cmdline ? options->cmdline : "");
    add_range(RAM_BASE, half, BOOT_RANGE_USABLE);
    add_range(RAM_BASE + half, HOLE, BOOT_RANGE_RESERVED);
    add_range(RAM_BASE + half + HOLE, options->memory - half - HOLE, BOOT_RANGE_USABLE);
    boot_info.ram_bytes = options->memory - HOLE;
}

/* The text behind `name` on the command line up to the next space, or NULL. */
static const char *option_find(const char *name, size_t *out_length) {
    size_t length = strlen(name);

    for (const char *word = boot_info.cmdline; *word;) {
        const char *end = strchr(word, ' ');
        size_t size = end ? (size_t)(end - word) : strlen(word);
        if (size >= length && strncmp(word, name, length) == 0 &&
            (size == length || word[length] == '=')) {
            *out_length = size == length ? 0 : size - length - 1;
            return size == length ? word + size : word + length + 1;
        }
        word += size + (end != NULL);
    }
    return NULL;
}

bool boot_option(const char *name, char *buffer, size_t size) {
    size_t length = 0;
    const char *value = option_find(name, &length);

    if (!value || size == 0)
        return value != NULL;
    length = MIN(length, size - 1);
    memcpy(buffer, value, length);
    buffer[length] = '\0';
    return true;
}

uint64_t boot_option_u64(const char *name, uint64_t otherwise) {
    char text[24];
    uint64_t value = 0;

    if (!boot_option(name, text, sizeof(text)) || text[0] == '\0')
        return otherwise;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (uint64_t)(*c - '0');
    return value;
}

bool boot_option_bool(const char *name, bool otherwise) {
    char text[8];

    if (!boot_option(name, text, sizeof(text)))
        return otherwise;
    return strcmp(text, "off") != 0 && strcmp(text, "0") != 0 && strcmp(text, "no") != 0 &&
           strcmp(text, "false") != 0;
}

void arch_init_early(void) { log_set_console(console_emit); }
void arch_init_memory(void) {}
void arch_init_platform(const struct platform_info *platform) {}
bool kernel_address_is_text(uintptr_t address) { return false; }
uint64_t kernel_image_checksum(void) { return 0; }
