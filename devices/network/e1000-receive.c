/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Receiving with a PRO/1000 (section 3.2): address filters, VLAN tags, the ring, what is said of
 * checksums. The four bytes of the frame check sequence are zeros. Left out: packet splitting. */
#include "devices/network/e1000-private.h"

enum {
    DESCRIPTOR_SIZE = 16,
    STATUS_DONE = 1 << 0,
    STATUS_EOP = 1 << 1,
    STATUS_IXSM = 1 << 2,
    STATUS_VP = 1 << 3,
    STATUS_TCPCS = 1 << 5,
    STATUS_IPCS = 1 << 6,
    STATUS_PIF = 1 << 7,
    SHORT_MIN = 60,
    USUAL_MAX = 1518, /* with a tag, without the check sequence */
    JUMBO_MAX = 16384 - 4,
    CHECK_SIZE = 4,
    TAG_AT = 12,
    TAG_SIZE = 4,
    ADDRESS_COUNT = 16,
    RAH_VALID = 31,
};

/* --- filters --- */

static bool
is_own(E1000 *nic, const uint8_t *to)
{
    const uint32_t low =
        to[0] | (uint32_t)to[1] << 8 | (uint32_t)to[2] << 16 | (uint32_t)to[3] << 24;
    const uint32_t high = to[4] | (uint32_t)to[5] << 8;

    for (unsigned i = 0; i < ADDRESS_COUNT; i++) {
        const uint32_t *pair = e1000_reg(nic, E1000_RAL + 8 * i);

        if (pair[1] >> RAH_VALID != 0 && pair[0] == low && (pair[1] & 0xffff) == high)
            return true;
    }
    return false;
}

static bool
is_in_group(E1000 *nic, const uint8_t *to)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    const unsigned shift = shifts[*e1000_reg(nic, E1000_RCTL) >> 12 & 3];
    const uint32_t hash = ((uint32_t)(to[4] | to[5] << 8) >> shift) & 0xfff;

    return (*e1000_reg(nic, E1000_MTA + 4 * (hash >> 5)) >> (hash & 31) & 1) != 0;
}

static bool
is_wanted(E1000 *nic, const uint8_t *to, uint8_t *status)
{
    const uint32_t control = *e1000_reg(nic, E1000_RCTL);
    const bool group = (to[0] & 1) != 0;
    const bool all = (to[0] & to[1] & to[2] & to[3] & to[4] & to[5]) == 0xff;

    if (all && (control & RCTL_BAM) != 0)
        return true;
    if ((control & (group ? RCTL_MPE : RCTL_UPE)) != 0 || is_own(nic, to))
        return true;
    *status |= STATUS_PIF; /* a hash may be another group's */
    return group && is_in_group(nic, to);
}

static bool
passes_vlan(E1000 *nic, uint16_t tag)
{
    const unsigned vlan = tag & 0xfff;

    return (*e1000_reg(nic, E1000_RCTL) & RCTL_VFE) == 0 ||
           (*e1000_reg(nic, E1000_VFTA + 4 * (vlan >> 5)) >> (vlan & 31) & 1) != 0;
}

/* --- what is said of checksums --- */

static uint8_t
checksum_status(E1000 *nic, const uint8_t *frame, size_t size, const PdmFrameOffload *offload)
{
    const uint32_t control = *e1000_reg(nic, E1000_RXCSUM);
    uint8_t status = 0;

    if (offload == NULL || !offload->checksum_good || size < 34 || frame[12] != 0x08 ||
        frame[13] != 0 || frame[14] >> 4 != 4)
        return STATUS_IXSM;
    if ((control & RXCSUM_IPOFL) != 0)
        status |= STATUS_IPCS;
    /* Of whole TCP and UDP packets. */
    if ((control & RXCSUM_TUOFL) != 0 && (frame[23] == 6 || frame[23] == 17) &&
        ((frame[20] & 0x3f) | frame[21]) == 0)
        status |= STATUS_TCPCS;
    return status != 0 ? status : STATUS_IXSM;
}

/* --- the ring --- */

static uint32_t
buffer_size(E1000 *nic)
{
    static const uint16_t sizes[] = {2048, 1024, 512, 256};
    const uint32_t control = *e1000_reg(nic, E1000_RCTL), code = control >> 16 & 3;

    return (control & RCTL_BSEX) != 0 && code != 0 ? sizes[code] * 16u : sizes[code];
}

static uint32_t
free_descriptors(E1000 *nic, uint32_t count)
{
    const uint32_t head = *e1000_reg(nic, E1000_RDH), tail = *e1000_reg(nic, E1000_RDT);

    if (head >= count || tail >= count)
        return 0;
    return tail >= head ? tail - head : count - head + tail;
}

static void
write_back(E1000 *nic, uint64_t at, uint32_t length, uint8_t status, uint16_t special)
{
    const uint64_t word = GUINT64_TO_LE(length | (uint64_t)status << 32 | (uint64_t)special << 48);

    pdm_phys_write(nic->device, at + 8, &word, sizeof(word));
}

typedef struct {
    const uint8_t *data;
    uint32_t size;  /* of the frame */
    uint32_t total; /* with padding and check sequence */
    uint32_t skip;  /* bytes of a tag that was taken out */
    uint8_t status;
    uint16_t special;
} Incoming;

/* Bytes from a place of the frame as the guest sees it, in up to three parts. */
static void
store(E1000 *nic, uint64_t gpa, const Incoming *frame, uint32_t from, uint32_t length)
{
    static const uint8_t zeros[SHORT_MIN + CHECK_SIZE];
    const uint32_t size = frame->size - frame->skip;

    if (frame->skip != 0 && from < TAG_AT) {
        const uint32_t part = MIN(length, TAG_AT - from);

        pdm_phys_write(nic->device, gpa, frame->data + from, part);
        gpa += part;
        from += part;
        length -= part;
    }
    if (from < size && length > 0) {
        const uint32_t part = MIN(length, size - from);

        pdm_phys_write(nic->device, gpa, frame->data + frame->skip + from, part);
        gpa += part;
        length -= part;
    }
    if (length > 0)
        pdm_phys_write(nic->device, gpa, zeros, MIN(length, sizeof(zeros)));
}

static void
fill_ring(E1000 *nic, const Incoming *frame, uint32_t count, uint32_t buffer)
{
    const uint64_t base = e1000_ring(nic, E1000_RDBAL);
    uint32_t *head = e1000_reg(nic, E1000_RDH);

    for (uint32_t done = 0; done < frame->total;) {
        const uint64_t at = base + (uint64_t)*head * DESCRIPTOR_SIZE;
        const uint32_t part = MIN(frame->total - done, buffer);
        const bool last = done + part == frame->total;
        uint64_t gpa;

        pdm_phys_read(nic->device, at, &gpa, sizeof(gpa));
        store(nic, GUINT64_FROM_LE(gpa), frame, done, part);
        write_back(nic, at, part, last ? frame->status | STATUS_EOP : STATUS_DONE, frame->special);
        *head = *head + 1 < count ? *head + 1 : 0;
        done += part;
    }
}

static void
count_received(E1000 *nic, const Incoming *frame)
{
    const uint8_t *to = frame->data;

    e1000_count(nic, E1000_TPR);
    e1000_count(nic, E1000_GPRC);
    e1000_count_bytes(nic, E1000_GORCL, frame->size + CHECK_SIZE);
    e1000_count_bytes(nic, E1000_TORL, frame->size + CHECK_SIZE);
    if ((to[0] & to[1] & to[2] & to[3] & to[4] & to[5]) == 0xff)
        e1000_count(nic, E1000_BPRC);
    else if ((to[0] & 1) != 0)
        e1000_count(nic, E1000_MPRC);
}

/* Takes a tag out where the driver wants that. False: its network is not wanted. */
static bool
take_tag(E1000 *nic, Incoming *frame)
{
    const uint32_t type = *e1000_reg(nic, E1000_VET);
    const uint8_t *at = frame->data + TAG_AT;

    if (frame->size < TAG_AT + TAG_SIZE + 2 || (uint32_t)(at[0] << 8 | at[1]) != (type & 0xffff))
        return true;
    if (!passes_vlan(nic, (uint16_t)(at[2] << 8 | at[3])))
        return false;
    if ((*e1000_reg(nic, E1000_CTRL) & CTRL_VME) != 0) {
        frame->skip = TAG_SIZE;
        frame->special = (uint16_t)(at[2] << 8 | at[3]);
        frame->status |= STATUS_VP;
    }
    return true;
}

bool
e1000_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload)
{
    E1000 *nic = user;
    const uint32_t control = *e1000_reg(nic, E1000_RCTL);
    const uint32_t count = *e1000_reg(nic, E1000_RDLEN) / DESCRIPTOR_SIZE;
    const uint32_t buffer = buffer_size(nic);
    Incoming frame = {.data = data, .size = (uint32_t)size, .status = STATUS_DONE};
    uint32_t needed, left;

    if ((control & RCTL_EN) == 0 || size < 14 ||
        size > ((control & RCTL_LPE) != 0 ? (size_t)JUMBO_MAX : (size_t)USUAL_MAX) ||
        !is_wanted(nic, data, &frame.status) || !take_tag(nic, &frame))
        return true;
    frame.total = MAX(frame.size - frame.skip, (uint32_t)SHORT_MIN) +
                  ((control & RCTL_SECRC) != 0 ? 0 : CHECK_SIZE);
    needed = (frame.total + buffer - 1) / buffer;
    if (needed >= count)
        return true;
    left = free_descriptors(nic, count);
    if (left < needed) {
        e1000_count(nic, E1000_MPC);
        return false;
    }
    frame.status |= checksum_status(nic, frame.data, size, offload);
    fill_ring(nic, &frame, count, buffer);
    count_received(nic, &frame);
    nic->waiting++;
    if (left - needed <= count >> (1 + (control >> 8 & 3)))
        *e1000_reg(nic, E1000_ICR) |= ICR_RXDMT0;
    e1000_raise_received(nic);
    e1000_update_interrupt(nic);
    return true;
}
