/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the PRO/1000 cards. A frame that waits for the network is lost, as frames may
 * be; one that the guest has handed over in part is kept. */
#include "devices/network/e1000-private.h"

/* clang-format off */
static const SsmField serial_fields[] = {
    SSM_UINT(E1000Serial, shift),
    SSM_UINT(E1000Serial, out),
    SSM_UINT_BELOW(E1000Serial, bits, 33),
    SSM_UINT_BELOW(E1000Serial, out_bits, 18),
    SSM_UINT_BELOW(E1000Serial, clock, 2),
    SSM_UINT_BELOW(E1000Serial, unused, 2),
    SSM_END,
};

static const SsmField context_fields[] = {
    SSM_UINT(E1000Context, ip_start),
    SSM_UINT(E1000Context, ip_offset),
    SSM_UINT(E1000Context, tcp_start),
    SSM_UINT(E1000Context, tcp_offset),
    SSM_UINT(E1000Context, command),
    SSM_UINT(E1000Context, header_length),
    SSM_UINT(E1000Context, ip_end),
    SSM_UINT(E1000Context, tcp_end),
    SSM_UINT(E1000Context, segment_size),
    SSM_UINT(E1000Context, payload),
    SSM_END,
};

static const SsmField transmit_fields[] = {
    SSM_STRUCT(E1000Transmit, plain, context_fields),
    SSM_STRUCT(E1000Transmit, segmented, context_fields),
    SSM_BYTES(E1000Transmit, frame),
    SSM_UINT_BELOW(E1000Transmit, size, PDM_NETWORK_FRAME_MAX + 1),
    SSM_UINT(E1000Transmit, options),
    SSM_UINT(E1000Transmit, command),
    SSM_UINT_BELOW(E1000Transmit, extended, 2),
    SSM_UINT_BELOW(E1000Transmit, started, 2),
    SSM_UINT_BELOW(E1000Transmit, too_long, 2),
    SSM_UINT(E1000Transmit, checksum_start),
    SSM_UINT(E1000Transmit, checksum_offset),
    SSM_UINT(E1000Transmit, special),
    SSM_END,
};

static const SsmField fields[] = {
    SSM_UINT_ARRAY(E1000, regs),
    SSM_UINT_ARRAY(E1000, phy),
    SSM_UINT_ARRAY(E1000, eeprom),
    SSM_STRUCT(E1000, microwire, microwire_fields),
    SSM_STRUCT(E1000, management, serial_fields),
    SSM_UINT_BELOW(E1000, io_address, E1000_MMIO_SIZE),
    SSM_UINT(E1000, next_interrupt),
    SSM_UINT_BELOW(E1000, line, 2),
    SSM_UINT(E1000, delayed),
    SSM_STRUCT(E1000, transmit, transmit_fields),
    SSM_END,
};
/* clang-format on */

static void
pre_save(void *object)
{
    E1000 *nic = object;

    if (nic->transmit.held)
        e1000_transmit_reset(nic);
}

static bool
post_load(void *object, uint32_t version, GError **error)
{
    E1000 *nic = object;

    nic->transmit.held = 0;
    /* The cable is as it is now, which the guest may have to be told. */
    e1000_update_link(nic);
    return true;
}

const SsmState e1000_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
    .pre_save = pre_save,
    .post_load = post_load,
};
