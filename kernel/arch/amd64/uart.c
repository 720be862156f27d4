/*
 * uart.c - the serial line COM1 (a 16550), and the debug port of the emulator.
 *
 * Polled output is bounded and takes no lock, so that a panic gets through
 * whatever state the other paths are in. The interrupt-driven console has two
 * rings: transmitted bytes go straight to the FIFO while it has room and wait in
 * the ring only behind bytes that wait already; received bytes go into the other
 * ring, and stay in the FIFO, where they hold the sender back, while it is full.
 * Both are under console_lock.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/console.h"
#include "arch/spinlock.h"
#include "arch/upcall.h"
#include "lib/panic.h"

#define UART_IRQ    4
#define VECTOR_UART (VECTOR_GSI + UART_IRQ)
#define PORT        0x3f8
#define DEBUG_PORT  0xe9

#define DATA          (PORT + 0)
#define INTERRUPTS    (PORT + 1)
#define FIFO_CONTROL  (PORT + 2)
#define INTERRUPT_ID  (PORT + 2)
#define LINE_CONTROL  (PORT + 3)
#define MODEM_CONTROL (PORT + 4)
#define LINE_STATUS   (PORT + 5)
#define SCRATCH       (PORT + 7)

#define INTERRUPT_RECEIVED 0x01
#define INTERRUPT_ROOM     0x02
#define STATUS_RECEIVED    0x01
#define STATUS_ROOM        0x20 /* the transmit FIFO is empty */
#define STATUS_IDLE        0x40 /* and the last byte has left the wire */

#define FIFO_BYTES 16
#define SPIN_LIMIT 1000000
#define LOCK_TRIES 100000
#define RING_BYTES 4096 /* a power of two */

struct ring {
    char bytes[RING_BYTES];
    uint32_t head, tail; /* head: next to write; tail: next to read */
};

static struct spinlock console_lock = SPINLOCK_INIT(RANK_LEAF, "console");
static struct ring transmit, receive;
static bool present, interrupts_on, room_wanted;
static bool to_serial = true, to_debug_port;

static uint32_t ring_count(const struct ring *ring) {
    return ring->head - ring->tail;
}
static bool ring_put(struct ring *ring, char byte) {
    if (ring_count(ring) == RING_BYTES)
        return false;
    ring->bytes[ring->head++ % RING_BYTES] = byte;
    return true;
}
static char ring_take(struct ring *ring) {
    return ring->bytes[ring->tail++ % RING_BYTES];
}

void uart_init(void) {
    port_out8(SCRATCH, 0x5a);
    present = port_in8(SCRATCH) == 0x5a;
    if (!present)
        return;
    port_out8(INTERRUPTS, 0);
    port_out8(LINE_CONTROL, 0x80); /* the divisor: 115200 */
    port_out8(DATA, 1);
    port_out8(INTERRUPTS, 0);
    port_out8(LINE_CONTROL, 0x03); /* 8N1 */
    port_out8(FIFO_CONTROL, 0xc7); /* on, both emptied, interrupt at 14 bytes or a pause */
    port_out8(MODEM_CONTROL, 0x0b);
}

/* ---- Polled ---- */

static bool wait_for(uint8_t status) {
    for (unsigned i = 0; i < SPIN_LIMIT; i++) {
        if (port_in8(LINE_STATUS) & status)
            return true;
        cpu_relax();
    }
    return false;
}

static void emit_serial(const char *bytes, size_t length) {
    unsigned room = 0;
    for (size_t i = 0; i < length && present; i++) {
        if (room < 2) {
            if (!wait_for(STATUS_ROOM))
                return;
            room = FIFO_BYTES;
        }
        if (bytes[i] == '\n') {
            port_out8(DATA, '\r');
            room--;
        }
        port_out8(DATA, (uint8_t)bytes[i]);
        room--;
    }
}

/*
 * Lines of several CPUs should not mix, but nothing may hang here: the lock is
 * tried for a while, and its holder may be us.
 */
static bool try_console_lock(void) TRY_ACQUIRE(true, console_lock) NO_LOCK_ANALYSIS {
    for (unsigned i = 0; i < LOCK_TRIES && !spin_is_held_by_me(&console_lock); i++) {
        if (spin_try_lock_irq_off(&console_lock))
            return true;
        cpu_poll_requests();
    }
    return false;
}

/* Fill the FIFO from the ring, if it is empty. */
static void transmit_locked(void) REQUIRES(console_lock) {
    if (ring_count(&transmit) == 0 || !(port_in8(LINE_STATUS) & STATUS_ROOM))
        return;
    for (unsigned i = 0; i < FIFO_BYTES && ring_count(&transmit); i++)
        port_out8(DATA, (uint8_t)ring_take(&transmit));
}

/*
 * The interrupt is wanted exactly while bytes wait in the ring to go, and while there is
 * room for bytes that come: without, they stay with the sender.
 */
static void set_interrupts_locked(void) REQUIRES(console_lock) {
    uint8_t wanted = 0;
    if (ring_count(&receive) < RING_BYTES)
        wanted |= INTERRUPT_RECEIVED;
    if (ring_count(&transmit))
        wanted |= INTERRUPT_ROOM;
    if (interrupts_on)
        port_out8(INTERRUPTS, wanted);
}

/*
 * Bytes of a program still wait in the ring: the line goes behind them, as long as
 * somebody will send them. False: it does not fit, or this is the end.
 */
static bool queue_behind_locked(const char *bytes, size_t length) REQUIRES(console_lock) {
    if (ring_count(&transmit) == 0 || !interrupts_on || panic_is_running() ||
        RING_BYTES - ring_count(&transmit) < 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            (void)ring_put(&transmit, '\r');
        (void)ring_put(&transmit, bytes[i]);
    }
    transmit_locked();
    set_interrupts_locked();
    return true;
}

void console_emit(const char *bytes, size_t length) NO_LOCK_ANALYSIS {
    irq_state_t state = irq_save();
    bool locked = try_console_lock();
    if (to_debug_port)
        for (size_t i = 0; i < length; i++)
            port_out8(DEBUG_PORT, (uint8_t)bytes[i]);
    if (to_serial && !(locked && queue_behind_locked(bytes, length)))
        emit_serial(bytes, length);
    if (locked)
        spin_unlock_irq_off(&console_lock);
    irq_restore(state);
}

void console_set_log_ports(bool serial, bool debug_port) {
    to_serial = serial;
    to_debug_port = debug_port;
}

/* ---- By interrupt ---- */

size_t console_write(const char *bytes, size_t length) {
    size_t done = 0;
    SPIN_GUARD(&console_lock);
    if (!present)
        return length;
    while (done < length) {
        if (!ring_put(&transmit, bytes[done])) {
            transmit_locked();
            if (!ring_put(&transmit, bytes[done]))
                break;
        }
        done++;
    }
    room_wanted = done < length;
    transmit_locked();
    set_interrupts_locked();
    return done;
}

bool console_has_room(void) {
    SPIN_GUARD(&console_lock);
    room_wanted = true;
    return ring_count(&transmit) < RING_BYTES;
}

size_t console_read(char *buffer, size_t size) {
    size_t done = 0;
    SPIN_GUARD(&console_lock);
    while (done < size && ring_count(&receive))
        buffer[done++] = ring_take(&receive);
    set_interrupts_locked();
    return done;
}

/*
 * At a panic or the end of the machine: the ring is emptied by polling. Another CPU may
 * still take the interrupt, and would empty it at the same time; so this has the lock,
 * unless whoever holds it has been stopped.
 */
void console_drain(void) NO_LOCK_ANALYSIS {
    if (!present)
        return;
    irq_state_t state = irq_save();
    bool locked = try_console_lock();
    while (ring_count(&transmit) && wait_for(STATUS_ROOM))
        for (unsigned i = 0; i < FIFO_BYTES && ring_count(&transmit); i++)
            port_out8(DATA, (uint8_t)ring_take(&transmit));
    (void)wait_for(STATUS_IDLE);
    if (locked)
        spin_unlock_irq_off(&console_lock);
    irq_restore(state);
}

/* Move what came and what can go. Says which doors to knock at. */
static void service(bool *out_input, bool *out_room) {
    SPIN_GUARD(&console_lock);
    *out_input = *out_room = false;
    (void)port_in8(INTERRUPT_ID);
    while (ring_count(&receive) < RING_BYTES && (port_in8(LINE_STATUS) & STATUS_RECEIVED)) {
        (void)ring_put(&receive, (char)port_in8(DATA));
        *out_input = true;
    }
    transmit_locked();
    set_interrupts_locked();
    *out_room = room_wanted && ring_count(&transmit) <= RING_BYTES / 2;
    if (*out_room)
        room_wanted = false;
}

void uart_interrupt(void) {
    bool input, room;
    service(&input, &room);
    if (input)
        upcall_console_input();
    if (room)
        upcall_console_room();
}

void uart_enable_interrupts(void) {
    SPIN_GUARD(&console_lock);
    if (!present)
        return;
    interrupt_set_handler(VECTOR_UART, uart_interrupt);
    apic_route(UART_IRQ, VECTOR_UART, boot_cpu.apic_id);
    interrupts_on = true;
    set_interrupts_locked();
}
