/*
 * load.c - an ELF file into an address space, without copying.
 *
 * lib/elf.c has checked everything about the file that could hurt (alignments, ranges,
 * overlaps), so this only maps. A file that does not begin at a page of its memory
 * object is copied into a fresh one first.
 */
#include "zx/load.h"

#include <stdbool.h>
#include <stddef.h>
#include <zircon/syscalls.h>

static uint64_t page_down(uint64_t value) { return value & ~(uint64_t)ZX_PAGE_MASK; }
static uint64_t page_up(uint64_t value) { return page_down(value + ZX_PAGE_MASK); }

/* A file that lies on its pages, as a copy. The handle is the caller's. */
static zx_status_t copy_file(const struct jx_file *file, struct jx_file *out_copy) {
    zx_handle_t plain, executable;
    zx_status_t status = zx_vmo_create(file->size, 0, &plain);
    if (status != ZX_OK)
        return status;
    status = zx_vmo_write(plain, file->data, 0, file->size);
    if (status == ZX_OK)
        status = zx_vmo_replace_as_executable(plain, ZX_HANDLE_INVALID, &executable);
    else
        (void)zx_handle_close(plain);
    if (status == ZX_OK)
        *out_copy = (struct jx_file){.vmo = executable, .size = file->size, .data = file->data};
    return status;
}

/*
 * The memory of a writable segment: a clone of its pages of the file, with zeros behind
 * the bytes that the file has.
 */
static zx_status_t make_writable(const struct jx_file *file, const struct elf_segment *segment,
                                 zx_handle_t *out_vmo) {
    uint64_t skew = segment->vaddr % ZX_PAGE_SIZE;
    uint64_t from_file = segment->filesz > 0 ? skew + segment->filesz : 0;
    uint64_t size = page_up(skew + segment->memsz);
    if (from_file == 0)
        return zx_vmo_create(size, 0, out_vmo);

    bool grows = size > page_up(from_file);
    zx_status_t status = zx_vmo_create_child(
        file->vmo, ZX_VMO_CHILD_SNAPSHOT | (grows ? ZX_VMO_CHILD_RESIZABLE : 0),
        file->offset + segment->offset - skew, page_up(from_file), out_vmo);
    if (status != ZX_OK)
        return status;
    if (from_file % ZX_PAGE_SIZE != 0 && segment->memsz > segment->filesz)
        status = zx_vmo_op_range(*out_vmo, ZX_VMO_OP_ZERO, from_file,
                                 page_up(from_file) - from_file, NULL, 0);
    if (status == ZX_OK && grows)
        status = zx_vmo_set_size(*out_vmo, size);
    if (status != ZX_OK)
        (void)zx_handle_close(*out_vmo);
    return status;
}

static zx_vm_option_t permissions(unsigned prot) {
    return (prot & ELF_READ ? ZX_VM_PERM_READ : 0) | (prot & ELF_WRITE ? ZX_VM_PERM_WRITE : 0) |
           (prot & ELF_EXECUTE ? ZX_VM_PERM_EXECUTE : 0);
}

static zx_status_t map_segment(zx_handle_t region, const struct jx_file *file,
                               const struct elf_image *image, const struct elf_segment *segment) {
    uint64_t start = page_down(segment->vaddr);
    uint64_t length = page_up(segment->vaddr + segment->memsz) - start;
    zx_vm_option_t options = permissions(segment->prot) | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS;
    zx_handle_t vmo = file->vmo;
    uint64_t vmo_offset = file->offset + page_down(segment->offset);
    zx_vaddr_t address;

    /* Memory beyond the file's bytes needs pages of its own, also when it is read-only. */
    bool own = (segment->prot & ELF_WRITE) || segment->memsz > segment->filesz;
    if (own) {
        zx_status_t status = make_writable(file, segment, &vmo);
        if (status != ZX_OK)
            return status;
        vmo_offset = 0;
    }
    zx_status_t status =
        zx_vmar_map(region, options, start - image->low, vmo, vmo_offset, length, &address);
    if (own)
        (void)zx_handle_close(vmo);
    return status;
}

static zx_status_t map_segments(zx_handle_t region, const struct jx_file *file,
                                const struct elf_image *image) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        zx_status_t status = map_segment(region, file, image, &image->segments[i]);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

/* Reserve the image's place: anywhere, or where a fixed one wants to be. */
static zx_status_t reserve(zx_handle_t vmar, const struct elf_image *image,
                           struct loaded *out_loaded) {
    zx_vm_option_t options = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE |
                             ZX_VM_CAN_MAP_EXECUTE;
    size_t offset = 0;
    if (!image->is_pie) {
        zx_info_vmar_t info;
        zx_status_t status =
            zx_object_get_info(vmar, ZX_INFO_VMAR, &info, sizeof info, NULL, NULL);
        if (status != ZX_OK)
            return status;
        options |= ZX_VM_SPECIFIC;
        offset = image->low - info.base; /* too low or too high is refused as a bad offset */
    } else if (image->align > ZX_PAGE_SIZE) {
        options |= (zx_vm_option_t)__builtin_ctzl(image->align) << ZX_VM_ALIGN_BASE;
    }
    zx_vaddr_t address = 0;
    zx_status_t status =
        zx_vmar_allocate(vmar, options, offset, image->span, &out_loaded->region, &address);
    out_loaded->base = image->is_pie ? address - image->low : 0;
    out_loaded->entry = out_loaded->base + image->entry;
    out_loaded->stack_size = image->stack_size;
    return status;
}

static zx_status_t load_aligned(zx_handle_t vmar, const struct jx_file *file,
                                const struct elf_image *image, struct loaded *out_loaded) {
    zx_status_t status = reserve(vmar, image, out_loaded);
    if (status != ZX_OK)
        return status;
    status = map_segments(out_loaded->region, file, image);
    if (status != ZX_OK) {
        (void)zx_vmar_destroy(out_loaded->region);
        (void)zx_handle_close(out_loaded->region);
    }
    return status;
}

zx_status_t load_parse(const struct jx_file *file, struct elf_image *out_image,
                       const char **out_reason) {
    size_t available = file->size < ELF_PREFIX ? file->size : ELF_PREFIX;
    enum elf_verdict verdict = elf_parse(file->data, available, file->size, out_image);
    if (verdict == ELF_OK)
        return ZX_OK;
    *out_reason = elf_verdict_string(verdict);
    return ZX_ERR_INVALID_ARGS;
}

zx_status_t load_image(zx_handle_t vmar, const struct jx_file *file,
                       const struct elf_image *image, struct loaded *out_loaded) {
    struct jx_file copy;
    if (file->offset % ZX_PAGE_SIZE == 0)
        return load_aligned(vmar, file, image, out_loaded);

    zx_status_t status = copy_file(file, &copy);
    if (status != ZX_OK)
        return status;
    status = load_aligned(vmar, &copy, image, out_loaded);
    (void)zx_handle_close(copy.vmo);
    return status;
}
