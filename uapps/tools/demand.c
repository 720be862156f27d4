/*
 * demand - a file of the image, whose pages are brought only when they are touched.
 *
 * The tool is its own pager. One thread answers requests: it fills an auxiliary object
 * from the archive and supplies it. The other maps the object that the pager made, and
 * reads what was asked for through the mapping, as if the file had been in memory all
 * the time. A private mapping works on a lazy clone, as a loader's would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "common/file.h"
#include "common/tool.h"

static const char help[] =
    "usage: demand [-c] FILE [OFFSET [LENGTH]]\n"
    "Writes a part of a file of the image to standard output; its pages are brought as they are\n"
    "touched. How many that were is told on standard error. -c reads through a lazy clone.\n";

#define PAGE ((size_t)ZX_PAGE_SIZE)

struct pager {
    zx_handle_t pager, port, vmo, aux;
    struct jx_file file;
    size_t size; /* of the object: whole pages */
    unsigned requests;
    size_t pages;
};

/* ---- The pager's thread ---- */

/* The file's bytes for [offset, offset + length), and zeros behind its end. */
static zx_status_t fill(struct pager *p, size_t offset, size_t length) {
    size_t there = offset < p->file.size ? p->file.size - offset : 0;
    if (there > length)
        there = length;
    zx_status_t status = zx_vmo_set_size(p->aux, 0); /* what the last one left */
    if (status == ZX_OK)
        status = zx_vmo_set_size(p->aux, length);
    return status == ZX_OK ? zx_vmo_write(p->aux, p->file.data + offset, 0, there) : status;
}

static void answer(struct pager *p, size_t offset, size_t length) {
    zx_status_t status = fill(p, offset, length);
    if (status == ZX_OK)
        status = zx_pager_supply_pages(p->pager, p->vmo, offset, length, p->aux, 0);
    if (status != ZX_OK) /* whoever waits is told, rather than left to wait */
        (void)zx_pager_op_range(p->pager, ZX_PAGER_OP_FAIL, p->vmo, offset, length,
                                (uint64_t)(int64_t)ZX_ERR_IO);
    p->requests++;
    p->pages += length / PAGE;
}

static int pager_main(void *argument) {
    struct pager *p = argument;
    zx_port_packet_t packet;
    while (zx_port_wait(p->port, ZX_TIME_INFINITE, &packet) == ZX_OK &&
           packet.type == ZX_PKT_TYPE_PAGE_REQUEST &&
           packet.page_request.command == ZX_PAGER_VMO_READ)
        answer(p, packet.page_request.offset, packet.page_request.length);
    return 0; /* COMPLETE: nobody can ask any more */
}

static zx_status_t pager_make(struct pager *p, const char *path) {
    zx_status_t status = file_find(path, &p->file);
    p->size = (p->file.size + PAGE - 1) / PAGE * PAGE;
    if (status == ZX_OK)
        status = zx_pager_create(0, &p->pager);
    if (status == ZX_OK)
        status = zx_port_create(0, &p->port);
    if (status == ZX_OK)
        status = zx_vmo_create(0, ZX_VMO_RESIZABLE, &p->aux);
    return status == ZX_OK ? zx_pager_create_vmo(p->pager, 0, p->port, 0, p->size, &p->vmo)
                           : status;
}

/* ---- The reader ---- */

static zx_status_t map(struct pager *p, bool clone, zx_vaddr_t *out_address) {
    zx_handle_t vmo = p->vmo;
    zx_status_t status = ZX_OK;
    if (clone)
        status = zx_vmo_create_child(p->vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, p->size,
                                     &vmo);
    if (status == ZX_OK)
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, vmo, 0,
                             p->size, out_address);
    if (clone && status == ZX_OK)
        status = zx_handle_close(vmo); /* the mapping keeps it */
    return status;
}

static int show(struct pager *p, bool clone, size_t offset, size_t length) {
    zx_vaddr_t address = 0;
    thrd_t thread;
    if (offset > p->file.size)
        offset = p->file.size;
    if (length > p->file.size - offset)
        length = p->file.size - offset;
    zx_status_t status = p->size ? map(p, clone, &address) : ZX_OK;
    if (status != ZX_OK)
        return tool_fail(status, "cannot map");
    if (thrd_create(&thread, pager_main, p) != thrd_success)
        return tool_fail(ZX_ERR_NO_MEMORY, "cannot start the pager");
    fwrite((const char *)address + offset, 1, length, stdout);
    fflush(stdout);
    if (p->size)
        (void)zx_vmar_unmap(zx_vmar_root_self(), address, p->size);
    (void)zx_handle_close(p->vmo); /* the last of it: the pager hears COMPLETE */
    thrd_join(thread, NULL);
    fprintf(stderr, "demand: %zu of %zu pages in %u requests\n", p->pages, p->size / PAGE,
            p->requests);
    return ferror(stdout) ? 1 : 0;
}

int main(int argc, char **argv) {
    static struct pager p;
    tool_start(argc, argv, help);
    bool clone = argc > 1 && strcmp(argv[1], "-c") == 0;
    argv += clone;
    argc -= clone;
    if (argc < 2 || argc > 4)
        return tool_usage();
    zx_status_t status = pager_make(&p, argv[1]);
    if (status != ZX_OK)
        return tool_fail(status, "%s", argv[1]);
    return show(&p, clone, argc > 2 ? strtoul(argv[2], NULL, 0) : 0,
                argc > 3 ? strtoul(argv[3], NULL, 0) : SIZE_MAX);
}
