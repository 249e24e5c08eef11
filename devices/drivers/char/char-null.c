/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "char-null": somebody is at the other end who listens to everything and says nothing.
 */
#include "vmm/pdm/pdm.h"

typedef struct {
    PdmDriver *driver;
    PdmQueue *queue;
    PdmCharConnector connector;
} CharNull;

static size_t
null_send(void *user, const uint8_t *data, size_t size)
{
    return size;
}

static void
null_receive_ready(void *user)
{
}

static void
null_connected(void *user, void *item)
{
    CharNull *null = user;
    const PdmCharPort *port = null->driver->port;

    port->connected(port->user, true);
}

static bool
null_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharNull *null = driver->data;

    null->driver = driver;
    null->connector =
        (PdmCharConnector){.user = null, .send = null_send, .receive_ready = null_receive_ready};
    driver->connector = &null->connector;
    null->queue = pdm_driver_queue_new(driver, null_connected, null);
    pdm_queue_push(driver->api, null->queue, NULL);
    return true;
}

const PdmDriverInfo char_null_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "char-null",
    .title = "Nothing",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharNull),
    .construct = null_construct,
};
