/*
 * lockstep_machine.c - accesses of a program to its own memory.
 */
#include "model/lockstep.h"

void lockstep_load(uintptr_t address, void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = ((const volatile uint8_t *)address)[i];
}

void lockstep_store(uintptr_t address, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((volatile uint8_t *)address)[i] = ((const uint8_t *)bytes)[i];
}

/* A program has no say in what the kernel allocates. */
bool lockstep_fail_next_call(void (*judge)(bool partly)) { return false; }
