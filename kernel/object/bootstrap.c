/*
 * bootstrap.c - from an initrd to a running init process (ZX-ABI.md section 1.16).
 *
 * The initrd's frames become a memory object; init's read-only segments are mapped
 * from it and its writable ones from snapshots of it, so nothing is copied when
 * file data is page aligned (our image), and each segment is when it is not
 * (somebody else's archive). All later loading is user space's (ulib).
 */
#include "object/bootstrap.h"

#include <zircon/processargs.h>
#include <zircon/types.h>

#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "lib/cpio.h"
#include "lib/elf.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/version.h"
#include "object/channel.h"
#include "object/debuglog.h"
#include "object/resource.h"
#include "object/user_thread.h"
#include "vdso/time_page.h"
#include "vdso/vdso_image.h"
#include "vm/aspace.h"
#include "vm/pmm.h"

#define STACK_SIZE_DEFAULT KIB(256)
#define STACK_SIZE_MAX     MIB(64)
#define MESSAGE_MAX        8192u /* the command line twice, and more */
#define HANDLES_COUNT      10u

static void stop(const char *format, ...) NORETURN COLD PRINTF_LIKE(1, 2);
static void stop(const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_vprintf(LOG_ERROR, format, args);
    va_end(args);
    machine_end(MACHINE_PANIC, 0);
}
static void must(status_t status, const char *what) {
    if (status != OK)
        stop("boot: %s: status %d", what, status);
}

/* ---- The two images ---- */

static struct vmo *vdso_vmo(void) {
    struct time_page *page = (struct time_page *)(vdso_image_start + VDSO_TIME_PAGE_OFFSET);
    struct clock_scale scale = clock_scale();
    size_t size = (size_t)(vdso_image_end - vdso_image_start);
    struct vmo *vmo;
    page->base_ticks = scale.base_ticks;
    page->mult = scale.mult;
    page->shift = scale.shift;
    page->ticks_per_second = clock_ticks_per_second();
    page->num_cpus = cpu_count();
    page->physmem = boot_info.ram_bytes;
    page->features = ZX_HAS_CPU_FEATURES;
    string_copy(page->version, sizeof(page->version), KERNEL_VERSION);
    must(vmo_create(size, false, &vmo), "vDSO");
    must(vmo_write_kernel(vmo, 0, vdso_image_start, size), "vDSO");
    vmo->vdso_code_offset = VDSO_CODE_OFFSET;
    vmo->vdso_code_length = size - VDSO_CODE_OFFSET;
    string_copy(vmo->name, sizeof(vmo->name), "vdso");
    return vmo;
}

/* Misaligned in memory: it has to be copied, and its frames are free then. */
static void initrd_copy(const void *bytes, struct vmo **out_vmo) {
    paddr_t first = paddr(round_down(boot_info.initrd.value, PAGE_SIZE));
    uint64_t end = boot_info.initrd.value + boot_info.initrd_length;
    must(vmo_create(boot_info.initrd_length, false, out_vmo), "initrd");
    must(vmo_write_kernel(*out_vmo, 0, bytes, boot_info.initrd_length), "initrd");
    for (uint64_t at = first.value; at < end; at += PAGE_SIZE)
        pmm_free(page_of(paddr(at)), PAGE_LOADER);
}

static struct vmo *initrd_vmo(const void *bytes) {
    struct vmo *vmo;
    if (is_page_aligned(boot_info.initrd.value))
        must(vmo_create_from_loader(boot_info.initrd, boot_info.initrd_length, &vmo), "initrd");
    else
        initrd_copy(bytes, &vmo);
    vmo->immutable = true;
    string_copy(vmo->name, sizeof(vmo->name), "initrd");
    return vmo;
}

/* ---- Loading ---- */

struct program {
    struct vmo *initrd;
    uint64_t offset; /* of the file in it */
    const char *path;
    struct elf_image image;
};

static void program_find(struct program *program, const void *bytes) {
    static char path[128];
    struct cpio_entry entry;
    if (!boot_option("init", path, sizeof(path)))
        string_copy(path, sizeof(path), "bin/init");
    program->path = path[0] == '/' ? path + 1 : path;
    enum cpio_verdict found =
        cpio_find(bytes, boot_info.initrd_length, program->path, &entry);
    if (found == CPIO_END)
        stop("boot: the initrd has no %s", program->path);
    if (found != CPIO_ENTRY)
        stop("boot: the initrd is damaged: %s", cpio_verdict_string(found));
    program->offset = entry.data_offset;
    const char *file = (const char *)bytes + entry.data_offset;
    enum elf_verdict verdict =
        elf_parse(file, MIN(entry.size, ELF_PREFIX), entry.size, &program->image);
    if (verdict != ELF_OK)
        stop("boot: %s can't be run: %s", program->path, elf_verdict_string(verdict));
}

/* The segment's memory: the initrd itself, a snapshot, or a copy. *out_offset: where it begins. */
static status_t segment_vmo(const struct program *program, const struct elf_segment *segment,
                            struct vmo **out_vmo, uint64_t *out_offset) {
    uint64_t lead = segment->vaddr & PAGE_MASK;
    uint64_t file = program->offset + segment->offset - lead, in_file = lead + segment->filesz;
    uint64_t size = round_up(lead + segment->memsz, PAGE_SIZE);
    bool aligned = is_page_aligned(file);
    *out_offset = aligned && !(segment->prot & ELF_WRITE) && size <= round_up(in_file, PAGE_SIZE)
                      ? file : 0;
    if (*out_offset) {
        vmo_ref(program->initrd);
        *out_vmo = program->initrd;
        return OK;
    }
    AUTO(vmo) vmo = NULL;
    status_t status;
    if (aligned) {
        status = vmo_create_snapshot(program->initrd, SNAPSHOT_FULL, file, in_file, true, &vmo);
        if (status == OK)
            status = vmo_set_size(vmo, in_file);
        if (status == OK)
            status = vmo_set_size(vmo, size);
    } else {
        const char *bytes = phys_to_virt(boot_info.initrd);
        status = vmo_create(size, false, &vmo);
        if (status == OK)
            status = vmo_write_kernel(vmo, 0, bytes + file, in_file);
    }
    if (status == OK) {
        vmo->resizable = false;
        *out_vmo = TAKE(vmo);
    }
    return status;
}

static status_t segment_map(const struct program *program, const struct elf_segment *segment,
                            struct region *vmar) {
    AUTO(vmo) vmo = NULL;
    uint64_t offset, lead = segment->vaddr & PAGE_MASK;
    vaddr_t address;
    status_t status = segment_vmo(program, segment, &vmo, &offset);
    if (status != OK)
        return status;
    if (vmo != program->initrd)
        fmt_format(vmo->name, sizeof(vmo->name), "%s", program->path);
    uint32_t perm = ZX_VM_PERM_READ | (segment->prot & ELF_WRITE ? ZX_VM_PERM_WRITE : 0) |
                    (segment->prot & ELF_EXECUTE ? ZX_VM_PERM_EXECUTE : 0);
    return vmar_map(vmar, ZX_VM_SPECIFIC | perm,
                    segment->vaddr - lead - program->image.low, vmo, offset,
                    lead + segment->memsz, perm, &address);
}

#define CAN_MAP_ALL                                                                                \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)

/* Returns the region that the program lies in. */
static struct region *program_map(const struct program *program, struct region *root) {
    const struct elf_image *image = &program->image;
    struct region *vmar;
    uint32_t log2 = 63 - (uint32_t)__builtin_clzll(image->align);
    if (image->is_pie)
        must(vmar_allocate(root, CAN_MAP_ALL | log2 << ZX_VM_ALIGN_BASE, 0, image->span, &vmar),
             "init's addresses");
    else
        must(vmar_allocate(root, CAN_MAP_ALL | ZX_VM_SPECIFIC, image->low - root->start,
                           image->span, &vmar),
             "init's addresses");
    for (unsigned i = 0; i < image->segment_count; i++)
        must(segment_map(program, &image->segments[i], vmar), "init's segments");
    return vmar;
}

static vaddr_t vdso_map(struct vmo *vdso, struct region *root) {
    AUTO(region) vmar = NULL;
    vaddr_t address;
    must(vmar_allocate(root, CAN_MAP_ALL, 0, vmo_size(vdso), &vmar), "vDSO's addresses");
    must(vmar_map(vmar, ZX_VM_SPECIFIC | ZX_VM_PERM_READ, 0, vdso, 0, vdso->vdso_code_offset,
                  ZX_VM_PERM_READ, &address),
         "vDSO");
    must(vmar_map(vmar, ZX_VM_SPECIFIC | ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE,
                  vdso->vdso_code_offset, vdso, vdso->vdso_code_offset, vdso->vdso_code_length,
                  ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, &address),
         "vDSO");
    return vmar->start;
}

static struct vmo *stack_map(const struct program *program, struct region *root,
                             vaddr_t *out_top) {
    uint64_t wish = program->image.stack_size, size;
    struct vmo *stack;
    vaddr_t base;
    size = wish ? round_up(MIN(wish, STACK_SIZE_MAX), PAGE_SIZE) : STACK_SIZE_DEFAULT;
    must(vmo_create(size, false, &stack), "stack");
    string_copy(stack->name, sizeof(stack->name), "stack");
    must(vmar_map(root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, stack, 0, size,
                  ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &base),
         "stack");
    *out_top = base + size;
    return stack;
}

/* ---- The first message ---- */

struct start_message {
    char bytes[MESSAGE_MAX];
    uint32_t length;
    struct handle handles[HANDLES_COUNT];
    uint32_t infos[HANDLES_COUNT];
    uint32_t handle_count;
};
static struct start_message start_message; /* used once */

/* Takes over the object's reference. */
static void message_add_handle(uint32_t info, struct waitable *object, rights_t rights) {
    struct start_message *m = &start_message;
    ASSERT(m->handle_count < HANDLES_COUNT);
    m->infos[m->handle_count] = info;
    m->handles[m->handle_count++] = handle_make(object, rights);
    waitable_unref(object);
}

/* False, and nothing, if it does not fit. */
static bool message_add_string(const char *text, size_t length) {
    struct start_message *m = &start_message;
    if (m->length + length + 1 > MESSAGE_MAX)
        return false;
    memcpy(m->bytes + m->length, text, length);
    m->bytes[m->length + length] = 0;
    m->length += (uint32_t)length + 1;
    return true;
}

/* The words of the kernel's command line are the environment. */
static uint32_t message_add_words(const char *line) {
    uint32_t words = 0;
    while (*line) {
        const char *end = line;
        while (*end && *end != ' ')
            end++;
        if (end > line)
            words += message_add_string(line, (size_t)(end - line));
        line = *end ? end + 1 : end;
    }
    return words;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The words of init.args=, between commas; %xx is the byte of that number. Returns how many. */
static uint32_t message_add_arguments(void) {
    static char text[BOOT_CMDLINE_MAX];
    uint32_t words = 1;
    char *to = text;
    if (!boot_option("init.args", text, sizeof(text)))
        return 0;
    for (const char *from = text; *from; from++) {
        bool coded = *from == '%' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0;
        words += *from == ',';
        *to++ = *from == ',' ? '\0'
                : coded      ? (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]))
                             : *from;
        from += coded ? 2 : 0;
    }
    return message_add_string(text, (size_t)(to - text)) ? words : 0; /* with all their ends */
}

static struct message *message_make(const char *path) {
    struct start_message *m = &start_message;
    zx_proc_args_t *args = (zx_proc_args_t *)m->bytes;
    size_t run;
    m->length = sizeof(*args);
    *args = (zx_proc_args_t){.protocol = ZX_PROCARGS_PROTOCOL, .version = ZX_PROCARGS_VERSION};
    args->handle_info_off = m->length;
    memcpy(m->bytes + m->length, m->infos, m->handle_count * sizeof(uint32_t));
    m->length += m->handle_count * (uint32_t)sizeof(uint32_t);
    args->args_off = m->length;
    args->args_num = message_add_string(path, strlen(path));
    args->args_num += message_add_arguments();
    args->environ_off = m->length;
    args->environ_num = message_add_words(boot_info.cmdline);
    struct message *message = message_create(m->length, m->handle_count);
    must(message ? OK : ERR_NO_MEMORY, "start message");
    for (uint32_t done = 0; done < m->length; done += (uint32_t)run) {
        char *to = message_bytes(message, done, &run);
        run = MIN(run, (size_t)(m->length - done));
        memcpy(to, m->bytes + done, run);
    }
    memcpy(message->handles, m->handles, m->handle_count * sizeof(struct handle));
    return message;
}

/* The end of the channel that init reads its message from. */
static struct handle bootstrap_channel(const char *path) {
    struct channel *ours, *theirs;
    must(channel_create(&ours, &theirs), "start channel");
    struct handle end = handle_make(&theirs->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    struct handle ours_end = handle_make(&ours->end.base, ZX_DEFAULT_CHANNEL_RIGHTS);
    must(channel_write(ours, message_make(path)), "start message");
    handle_release(&ours_end);
    waitable_unref(&ours->end.base);
    waitable_unref(&theirs->end.base);
    return end;
}

struct process *bootstrap_start_init(void) {
    struct program program;
    struct process *process;
    struct user_thread *thread;
    vaddr_t stack_top;
    uint32_t value;
    if (boot_info.initrd_length == 0)
        stop("boot: there is no initrd, so nothing to run");
    const void *bytes = phys_to_virt(boot_info.initrd);
    program_find(&program, bytes);
    program.initrd = initrd_vmo(bytes);
    must(process_create(job_root(), "init", &process), "init process");
    must(user_thread_create(process, "main", &thread), "init thread");
    struct region *root = aspace_root(process->aspace);
    struct region *loaded = program_map(&program, root);
    uint64_t slide = loaded->start - program.image.low;
    struct resource *root_resource;
    struct debuglog *log;
    must(resource_create_root(&root_resource), "root resource");
    must(debuglog_create(false, &log), "log");
    struct vmo *vdso = vdso_vmo();
    vaddr_t vdso_base = vdso_map(vdso, root);
    struct vmo *stack = stack_map(&program, root, &stack_top);

    waitable_ref(&process->base);
    waitable_ref(&thread->base);
    waitable_ref(&job_root()->base);
    message_add_handle(PA_HND(PA_PROC_SELF, 0), &process->base, ZX_DEFAULT_PROCESS_RIGHTS);
    message_add_handle(PA_HND(PA_THREAD_SELF, 0), &thread->base, ZX_DEFAULT_THREAD_RIGHTS);
    message_add_handle(PA_HND(PA_VMAR_ROOT, 0), &root->base,
                       root->base.ops->default_rights | root->possible << 2);
    message_add_handle(PA_HND(PA_VMAR_LOADED, 0), &loaded->base,
                       loaded->base.ops->default_rights | loaded->possible << 2);
    message_add_handle(PA_HND(PA_JOB_DEFAULT, 0), &job_root()->base, ZX_DEFAULT_JOB_RIGHTS);
    message_add_handle(PA_HND(PA_RESOURCE, 0), &root_resource->base,
                       ZX_DEFAULT_RESOURCE_RIGHTS);
    message_add_handle(PA_HND(PA_VMO_VDSO, 0), &vdso->base,
                       (ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE) & ~ZX_RIGHT_WRITE);
    message_add_handle(PA_HND(PA_VMO_STACK, 0), &stack->base, ZX_DEFAULT_VMO_RIGHTS);
    message_add_handle(PA_HND(PA_VMO_BOOTFS, 0), &program.initrd->base,
                       ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT | ZX_RIGHT_INSPECT |
                           ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE |
                           ZX_RIGHT_MAP);
    message_add_handle(PA_HND(PA_FDIO_LOGGER, 0), &log->base, ZX_DEFAULT_LOG_RIGHTS);

    must(handle_table_add(&process->handles, bootstrap_channel(program.path), &value),
         "start channel");
    must(process_start(process, thread, program.image.entry + slide, stack_top - 8, value,
                       vdso_base),
         "init");
    waitable_unref(&thread->base);
    return process;
}
