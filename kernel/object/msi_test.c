/*
 * msi_test.c - interrupts by messages, from a device that the test plays: contiguous memory is
 * its configuration space.
 */
#include <zircon/types.h>

#include "arch/host/host.h"
#include "lib/ktest.h"
#include "object/msi.h"
#include "vm/vmo.h"

struct device {
    struct msi *msi;
    struct handle handle;
    struct vmo *vmo;
    volatile uint32_t *words; /* of its one page */
};

static bool device_begin(struct device *device, uint32_t count) {
    paddr_t address;

    if (vmo_create_contiguous(PAGE_SIZE, 0, 0, &device->vmo) != OK)
        return false;
    if (msi_create(count, &device->msi) != OK) {
        vmo_unref(device->vmo);
        return false;
    }
    device->handle = handle_adopt(&device->msi->base, 0);
    EXPECT_EQ(OK, vmo_set_cache_policy(device->vmo, ZX_CACHE_POLICY_UNCACHED_DEVICE));
    EXPECT_EQ(OK, vmo_pin(device->vmo, 0, PAGE_SIZE, true, &address));
    vmo_unpin(device->vmo, 0, PAGE_SIZE);
    device->words = phys_to_virt(address);
    return true;
}
static void device_end(struct device *device) {
    handle_release(&device->handle);
    vmo_unref(device->vmo);
}
static void device_sends(struct device *device, uint32_t id) {
    zx_info_msi_t info;

    msi_get_info(device->msi, &info);
    host_write_message(info.target_addr, info.target_data + id);
}

static bool make(struct device *device, uint32_t options, uint32_t id, uint64_t offset,
                 struct handle *out_handle) {
    struct interrupt *interrupt;

    if (msi_create_interrupt(device->msi, options, id, device->vmo, offset, &interrupt) != OK)
        return false;
    *out_handle = handle_adopt(&interrupt->base, 0);
    return true;
}
static struct interrupt *interrupt_of(const struct handle *handle) {
    return interrupt_from(handle->object);
}

static bool is_pending(struct interrupt *interrupt) {
    SPIN_GUARD(&interrupt->lock);

    return interrupt->pending;
}

/* Each kind of capability: its control word, and which word has the masks (0: it has none). */
static void messages_arrive(uint32_t control, unsigned mask_word) {
    struct device device;
    struct handle handles[4];
    unsigned made = 0;
    nstime_t at;

    REQUIRE(device_begin(&device, 4));
    device.words[16] = control << 16 | 0x05;
    while (made < 4 && make(&device, 0, made, 64, &handles[made]))
        made++;
    EXPECT_EQ(4, made);
    for (uint32_t id = 0; id < made; id++) {
        device_sends(&device, id);
        EXPECT_EQ(OK, interrupt_wait(interrupt_of(&handles[id]), &at));
        for (uint32_t i = 0; i < 32 && mask_word; i++) /* masked are those whose driver works */
            EXPECT_EQ(i <= id, device.words[16 + mask_word] >> i & 1);
    }
    for (unsigned i = 0; i < made; i++)
        handle_release(&handles[i]);
    if (mask_word)
        EXPECT_EQ(0xf, device.words[16 + mask_word]);
    device_end(&device);
}

KTEST_QUICK(msi, messages_reach_their_interrupts_and_are_masked_where_that_is_possible) {
    messages_arrive(0, 0);
    messages_arrive(0x80, 0);
    messages_arrive(0x100, 3);
    messages_arrive(0x180, 4);
}

KTEST_QUICK(msi, the_entries_of_a_table_are_written_and_masked) {
    struct device device;
    struct handle handle;
    zx_info_msi_t info;
    nstime_t at;

    REQUIRE(device_begin(&device, 8));
    msi_get_info(device.msi, &info);
    if (make(&device, ZX_MSI_MODE_MSI_X, 5, 256, &handle)) {
        volatile uint32_t *entry = &device.words[64 + 5 * 4];
        EXPECT_EQ(info.target_addr, entry[0] | (uint64_t)entry[1] << 32);
        EXPECT_EQ(info.target_data + 5, entry[2]);
        EXPECT_EQ(0, entry[3]);
        device_sends(&device, 5);
        EXPECT_EQ(OK, interrupt_wait(interrupt_of(&handle), &at));
        EXPECT_EQ(1, entry[3]);
        handle_release(&handle);
        EXPECT_EQ(1, entry[3]);
        EXPECT_EQ(0, device.words[64]);
        EXPECT_EQ(0, device.words[64 + 6 * 4]);
    }
    device_end(&device);
}

KTEST_QUICK(msi, a_message_without_an_interrupt_is_nobodys) {
    struct device device;
    struct handle handle;
    struct interrupt *other;

    REQUIRE(device_begin(&device, 2));
    device.words[0] = 0x05;
    device_sends(&device, 1);
    if (!make(&device, 0, 1, 0, &handle)) {
        device_end(&device);
        return;
    }
    EXPECT(!is_pending(interrupt_of(&handle)));
    EXPECT_EQ(ERR_ALREADY_BOUND,
              msi_create_interrupt(device.msi, 0, 1, device.vmo, 0, &other));
    EXPECT_EQ(OK, interrupt_end(interrupt_of(&handle)));
    device_sends(&device, 1); /* it is destroyed */
    handle_release(&handle);
    if (make(&device, 0, 1, 0, &handle))
        handle_release(&handle);
    device_end(&device);
}

/* The block lives as long as its interrupts; then its vectors are free again. */
KTEST_QUICK(msi, vectors_are_given_back_by_the_last_who_uses_them) {
    uint64_t live = waitable_live_total();
    struct device device;
    struct handle handle;
    nstime_t at;
    uint32_t runs[IRQ_VECTORS / 32], count = 0;

    REQUIRE(device_begin(&device, 32));
    device.words[0] = 0x05;
    bool made = make(&device, 0, 31, 0, &handle);
    vmo_unref(device.vmo);
    handle_release(&device.handle);
    if (made) {
        device_sends(&device, 31);
        EXPECT_EQ(OK, interrupt_wait(interrupt_of(&handle), &at));
        handle_release(&handle);
    }
    EXPECT_EQ(live, waitable_live_total());
    while (count < ARRAY_SIZE(runs) && irq_messages_allocate(32, &runs[count]) == OK)
        count++;
    EXPECT_EQ(IRQ_VECTORS / 32, count);
    while (count)
        irq_messages_free(runs[--count], 32);
}
