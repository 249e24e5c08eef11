/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the PCnet cards. Frames that are not sent yet are in the guest's ring. */
#include "devices/network/pcnet-private.h"

/* clang-format off */
static const SsmField fields[] = {
    SSM_UINT_ARRAY(Pcnet, csr),
    SSM_UINT_ARRAY(Pcnet, bcr),
    SSM_UINT_ARRAY(Pcnet, phy),
    SSM_UINT_ARRAY(Pcnet, eeprom),
    SSM_BYTES(Pcnet, aprom),
    SSM_STRUCT(Pcnet, microwire, microwire_fields),
    SSM_UINT_BELOW(Pcnet, rap, PCNET_CSRS),
    SSM_UINT(Pcnet, receive_at),
    SSM_UINT(Pcnet, transmit_at),
    SSM_UINT_BELOW(Pcnet, line, 2),
    SSM_UINT_BELOW(Pcnet, link, 2),
    SSM_UINT_BELOW(Pcnet, waits, 2),
    SSM_UINT(Pcnet, hurries),
    SSM_END,
};
/* clang-format on */

static bool
post_load(void *object, uint32_t version, GError **error)
{
    Pcnet *nic = object;

    /* The cable is as it is now, which the guest may have to be told. */
    pcnet_update_link(nic);
    return true;
}

const SsmState pcnet_state = {
    .version = 1,
    .min_version = 1,
    .fields = fields,
    .post_load = post_load,
};
