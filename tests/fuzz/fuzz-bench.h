/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of devices share: an input that is taken apart, and what steps of it do to a
 * device bench. */
#pragma once

#include "tests/lib/device-bench.h"

/* The part of guest memory that steps write, and where rings of the devices should be. */
#define FUZZ_MEMORY 0x100000u
#define FUZZ_MEMORY_SIZE 0x10000u

typedef struct {
    const uint8_t *data;
    size_t size;
} FuzzInput;

/* So many bytes (at most 4) as a number, the lowest first; zeros at the end of the input. */
uint32_t fuzz_take(FuzzInput *input, unsigned bytes);
/* Where a hostile driver may point: into the memory above, into windows of the device, to nowhere,
 * to the end of everything. */
uint64_t fuzz_take_address(FuzzInput *input);
/* Up to 16 words of the input go to a place in the memory above. */
void fuzz_write_memory(DeviceBench *bench, FuzzInput *input);
/* An access to a port of so many from `first` on, or to `window`, in the width that the input says.
 */
void fuzz_access_port(DeviceBench *bench, FuzzInput *input, uint16_t first, uint32_t count);
void fuzz_access_window(DeviceBench *bench, FuzzInput *input, uint64_t window, uint32_t size);
/* Time passes in `count` steps; queues run after each. */
void fuzz_wait(DeviceBench *bench, unsigned count, uint64_t step_ns);
/* Another bench, of the same tree, that goes on where this one was; ends the process where what was
 * saved is not loaded. Frees the old one. */
DeviceBench *fuzz_save_and_load(DeviceBench *bench, CfgmNode *same);
