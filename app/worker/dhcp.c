/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The server's side of DHCP: see the header. Numbers of sections are those of RFC 2131, options'
 * those of RFC 2132. */
#include "app/worker/dhcp.h"

#include <string.h>

#include "devices/drivers/network/frame/frame.h"

#define FIXED_SIZE 240u /* up to and with the cookie */
#define COOKIE 0x63825363u
#define USUAL_MAX 548u /* a datagram of 576 bytes */
#define FIXED_MAX 1024u
#define SECONDS_USUAL 600u
#define DECLINED_SECONDS 600u
#define NEWS_SECONDS 10 /* a client may ask as often as it likes */
#define BROADCAST 0x8000u

enum { OP = 0, HTYPE = 1, HLEN = 2, FLAGS = 10, CIADDR = 12, YIADDR = 16, SIADDR = 20 };
enum { GIADDR = 24, CHADDR = 28, SNAME = 44, FILE_NAME = 108, COOKIE_AT = 236 };
enum { BOOTREQUEST = 1, BOOTREPLY, ETHERNET = 1 };
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ADDRESS = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WISHES = 55,
    OPTION_MAX_SIZE = 57,
    OPTION_RENEW = 58,
    OPTION_REBIND = 59,
    OPTION_VENDOR = 60,
    OPTION_TFTP_SERVER = 66,
    OPTION_BOOT_FILE = 67,
    OPTION_USER = 77,
    OPTION_END = 255,
};

struct Dhcp {
    DhcpLeases leases;
    DhcpSettings *settings;
    DhcpChanged changed;
    void *user;
};

/* A client's message; parts of it are borrowed. */
typedef struct {
    uint8_t type;
    DhcpClient from;
    uint32_t client; /* ciaddr */
    uint32_t wanted, server;
    size_t largest;
    const uint8_t *wishes;
    size_t wish_count;
} Message;

typedef struct {
    uint8_t *data;
    size_t at, limit;
} Writer;

/* --- settings --- */

Dhcp *
dhcp_new(const DhcpRange *range, DhcpChanged changed, void *user)
{
    Dhcp *dhcp;

    if (range->lower > range->upper || range->lower == 0 ||
        ((range->lower ^ range->server) & range->mask) != 0 ||
        ((range->upper ^ range->server) & range->mask) != 0)
        return NULL;
    dhcp = g_new0(Dhcp, 1);
    dhcp->leases.range = *range;
    dhcp->leases.leases = g_array_new(FALSE, FALSE, sizeof(DhcpLease));
    dhcp->leases.fixed = g_array_new(FALSE, FALSE, sizeof(DhcpFixed));
    dhcp->settings = dhcp_settings_new();
    dhcp->changed = changed;
    dhcp->user = user;
    return dhcp;
}

void
dhcp_free(Dhcp *dhcp)
{
    g_array_unref(dhcp->leases.leases);
    g_array_unref(dhcp->leases.fixed);
    dhcp_settings_free(dhcp->settings);
    g_free(dhcp);
}

const DhcpRange *
dhcp_range(const Dhcp *dhcp)
{
    return &dhcp->leases.range;
}

/* What the protocol itself says. */
static bool
is_servers(uint8_t number)
{
    return number == OPTION_PAD || number == OPTION_END ||
           (number >= OPTION_ADDRESS && number <= OPTION_REBIND);
}

bool
dhcp_set_option(Dhcp *dhcp, const DhcpScope *scope, uint8_t number, const uint8_t *data,
                size_t size, bool forced)
{
    return !is_servers(number) &&
           dhcp_settings_add_option(dhcp->settings, scope, number, data, size, forced);
}

bool
dhcp_set_times(Dhcp *dhcp, const DhcpScope *scope, const uint32_t seconds[DHCP_TIMES])
{
    return dhcp_settings_add_times(dhcp->settings, scope, seconds);
}

bool
dhcp_set_condition(Dhcp *dhcp, unsigned group, bool takes_in, DhcpConditionKind kind,
                   const void *value, size_t size)
{
    return dhcp_settings_add_condition(dhcp->settings, group, takes_in, kind, value, size);
}

bool
dhcp_set_fixed(Dhcp *dhcp, const uint8_t mac[6], uint32_t address)
{
    const DhcpRange *range = &dhcp->leases.range;
    DhcpFixed fixed = {.address = address};

    if (((address ^ range->server) & range->mask) != 0 || address == range->server ||
        dhcp->leases.fixed->len >= FIXED_MAX)
        return false;
    memcpy(fixed.mac, mac, 6);
    g_array_append_val(dhcp->leases.fixed, fixed);
    return true;
}

void
dhcp_restore(Dhcp *dhcp, const DhcpLease *lease)
{
    dhcp_leases_restore(&dhcp->leases, lease);
}

const DhcpLease *
dhcp_find(const Dhcp *dhcp, const uint8_t mac[6])
{
    return dhcp_leases_find(&dhcp->leases, mac);
}

static uint32_t
lease_seconds(const Dhcp *dhcp, const Message *message, uint32_t asked)
{
    uint32_t times[DHCP_TIMES], seconds, most;

    dhcp_settings_times(dhcp->settings, &message->from, times);
    if (times[DHCP_USUAL] == 0)
        times[DHCP_USUAL] = SECONDS_USUAL;
    seconds = asked != 0 ? asked : times[DHCP_USUAL];
    most = times[DHCP_MOST] != 0 ? times[DHCP_MOST] : MAX(times[DHCP_USUAL], times[DHCP_LEAST]);
    return MAX(MIN(seconds, most), MAX(times[DHCP_LEAST], 1));
}

/* --- what a client says --- */

/* The option's content; NULL: it is not said. */
static const uint8_t *
next_option(const uint8_t *data, size_t size, size_t *at, uint8_t *number, size_t *length)
{
    while (*at < size && data[*at] == OPTION_PAD)
        (*at)++;
    if (*at + 2 > size || data[*at] == OPTION_END || *at + 2 + data[*at + 1] > size)
        return NULL;
    *number = data[*at];
    *length = data[*at + 1];
    *at += 2 + *length;
    return data + *at - *length;
}

static void
take_option(Message *message, uint8_t number, const uint8_t *data, size_t length, uint32_t *seconds)
{
    if (number == OPTION_TYPE && length == 1)
        message->type = data[0];
    else if (number == OPTION_ADDRESS && length == 4)
        message->wanted = frame_load32(data);
    else if (number == OPTION_SERVER && length == 4)
        message->server = frame_load32(data);
    else if (number == OPTION_LEASE && length == 4)
        *seconds = frame_load32(data);
    else if (number == OPTION_MAX_SIZE && length == 2)
        message->largest = frame_load16(data);
    else if (number == OPTION_WISHES) {
        message->wishes = data;
        message->wish_count = length;
    } else if (number == OPTION_VENDOR) {
        message->from.vendor = data;
        message->from.vendor_size = length;
    } else if (number == OPTION_USER) {
        message->from.user = data;
        message->from.user_size = length;
    }
}

/* False: it is none that can be answered. */
static bool
parse(const uint8_t *data, size_t size, Message *message, uint32_t *seconds)
{
    static const uint8_t nobody[6] = {0};
    const uint8_t *content;
    size_t at = FIXED_SIZE, length;
    uint8_t number;

    *message = (Message){0};
    if (size < FIXED_SIZE || data[OP] != BOOTREQUEST || data[HTYPE] != ETHERNET ||
        data[HLEN] != 6 || frame_load32(data + COOKIE_AT) != COOKIE ||
        frame_load32(data + GIADDR) != 0)
        return false;
    memcpy(message->from.mac, data + CHADDR, 6);
    if ((message->from.mac[0] & 1) != 0 || memcmp(message->from.mac, nobody, 6) == 0)
        return false;
    message->client = frame_load32(data + CIADDR);
    while ((content = next_option(data, size, &at, &number, &length)) != NULL)
        take_option(message, number, content, length, seconds);
    return message->type != 0;
}

/* --- the answer --- */

static bool
put(Writer *writer, uint8_t number, const void *data, size_t size)
{
    if (writer->at + 2 + size + 1 > writer->limit)
        return false;
    writer->data[writer->at++] = number;
    writer->data[writer->at++] = (uint8_t)size;
    memcpy(writer->data + writer->at, data, size);
    writer->at += size;
    return true;
}

static void
put32(Writer *writer, uint8_t number, uint32_t value)
{
    uint8_t bytes[4];

    frame_store32(bytes, value);
    put(writer, number, bytes, 4);
}

/* An answer's options while they are put. */
typedef struct {
    Writer *writer;
    const Dhcp *dhcp;
    const Message *message;
    bool said[256];
} Saying;

static void
put_setting(Saying *saying, uint8_t number)
{
    const Dhcp *dhcp = saying->dhcp;
    GBytes *set = dhcp_settings_find(dhcp->settings, &saying->message->from, number);
    gsize size = 0;
    const void *data = set != NULL ? g_bytes_get_data(set, &size) : NULL;

    if (saying->said[number] || is_servers(number))
        return;
    saying->said[number] = true;
    if (size != 0)
        put(saying->writer, number, data, size);
    else if (number == OPTION_MASK && set == NULL)
        put32(saying->writer, number, dhcp->leases.range.mask);
}

static void
put_unasked(void *user, uint8_t number, bool forced)
{
    Saying *saying = user;

    if (forced || saying->message->wish_count == 0)
        put_setting(saying, number);
}

/* What was asked for, in the client's order, and what is said in any case. The mask goes before the
 * routers (RFC 2132, 3.3). */
static void
put_settings(Writer *writer, const Dhcp *dhcp, const Message *message)
{
    Saying saying = {.writer = writer, .dhcp = dhcp, .message = message};

    put_setting(&saying, OPTION_MASK);
    for (size_t i = 0; i < message->wish_count; i++)
        put_setting(&saying, message->wishes[i]);
    dhcp_settings_foreach(dhcp->settings, &message->from, put_unasked, &saying);
}

/* Loaders of the network read the fields, not the options. */
static void
put_boot(uint8_t *answer, const Dhcp *dhcp, const Message *message)
{
    static const struct {
        uint8_t number;
        size_t at, room;
    } fields[] = {{OPTION_TFTP_SERVER, SNAME, 64}, {OPTION_BOOT_FILE, FILE_NAME, 128}};

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        GBytes *set = dhcp_settings_find(dhcp->settings, &message->from, fields[i].number);
        gsize size = 0;
        const void *data = set != NULL ? g_bytes_get_data(set, &size) : NULL;

        if (size != 0 && size < fields[i].room)
            memcpy(answer + fields[i].at, data, size);
    }
}

static Writer
begin(const Dhcp *dhcp, const Message *message, const uint8_t *question, uint8_t type,
      uint8_t *answer)
{
    const size_t largest = message->largest > 28 ? message->largest - 28 : 0;
    Writer writer = {answer, FIXED_SIZE, CLAMP(largest, USUAL_MAX, DHCP_MESSAGE_MAX)};

    memset(answer, 0, DHCP_MESSAGE_MAX);
    memcpy(answer, question, SIADDR); /* hardware, number, flags */
    answer[OP] = BOOTREPLY;
    answer[3] = 0; /* hops */
    answer[8] = answer[9] = 0;
    memset(answer + CIADDR, 0, 8);
    memcpy(answer + CHADDR, question + CHADDR, 16);
    frame_store32(answer + COOKIE_AT, COOKIE);
    put(&writer, OPTION_TYPE, &type, 1);
    put32(&writer, OPTION_SERVER, dhcp->leases.range.server);
    return writer;
}

static size_t
finish(Writer *writer)
{
    writer->data[writer->at++] = OPTION_END;
    return MAX(writer->at, 300); /* the least of BOOTP */
}

/* Section 4.1: where it goes. */
static void
aim(const uint8_t *question, const uint8_t *answer, bool refusal, DhcpTarget *target)
{
    const uint32_t client = frame_load32(question + CIADDR);
    const uint32_t own = frame_load32(answer + YIADDR);
    const bool broadcast = (frame_load16(question + FLAGS) & BROADCAST) != 0;

    if (refusal || (client == 0 && (broadcast || own == 0))) {
        memset(target->mac, 0xff, 6);
        target->address = UINT32_MAX;
        return;
    }
    memcpy(target->mac, question + CHADDR, 6);
    target->address = client != 0 ? client : own;
}

static size_t
grant(Dhcp *dhcp, const Message *message, const uint8_t *question, uint8_t type,
      const DhcpLease *lease, uint8_t *answer)
{
    Writer writer = begin(dhcp, message, question, type, answer);

    frame_store32(answer + CIADDR, type == ACK ? message->client : 0);
    frame_store32(answer + YIADDR, lease != NULL ? lease->address : 0);
    if (lease != NULL) {
        put32(&writer, OPTION_LEASE, lease->seconds);
        put32(&writer, OPTION_RENEW, lease->seconds / 2);
        put32(&writer, OPTION_REBIND, lease->seconds - lease->seconds / 8);
    }
    put_settings(&writer, dhcp, message);
    put_boot(answer, dhcp, message);
    return finish(&writer);
}

static size_t
refuse(Dhcp *dhcp, const Message *message, const uint8_t *question, uint8_t *answer)
{
    Writer writer = begin(dhcp, message, question, NAK, answer);

    return finish(&writer);
}

/* --- what follows from a message --- */

/* Section 4.3.1. An offer is kept for a minute and tells of the time that the lease will have. */
static size_t
on_discover(Dhcp *dhcp, const Message *message, unsigned port, int64_t now, uint32_t seconds,
            const uint8_t *question, uint8_t *answer)
{
    DhcpLease *lease =
        dhcp_leases_offer(&dhcp->leases, message->from.mac, port, message->wanted, now);
    DhcpLease told;

    if (lease == NULL)
        return 0;
    if (!lease->bound || dhcp_lease_ended(lease, now)) {
        lease->bound = false;
        lease->issued = now;
        lease->seconds = DHCP_OFFER_SECONDS;
    }
    told = *lease;
    told.seconds = lease_seconds(dhcp, message, seconds);
    return grant(dhcp, message, question, OFFER, &told, answer);
}

/* Section 4.3.2: of the four kinds of requests, that for another server's offer is not answered. */
static size_t
on_request(Dhcp *dhcp, const Message *message, unsigned port, int64_t now, uint32_t seconds,
           const uint8_t *question, uint8_t *answer)
{
    const uint32_t wanted = message->wanted != 0 ? message->wanted : message->client;
    DhcpLease *lease = dhcp_leases_find(&dhcp->leases, message->from.mac);
    bool news;

    if (message->server != 0 && message->server != dhcp->leases.range.server) {
        if (lease != NULL && !lease->bound)
            lease->seconds = 0;
        return 0;
    }
    lease = dhcp_leases_offer(&dhcp->leases, message->from.mac, port, wanted, now);
    if (lease == NULL || wanted != lease->address)
        return refuse(dhcp, message, question, answer);
    news = !lease->bound || now - lease->issued >= NEWS_SECONDS;
    lease->bound = true;
    lease->issued = now;
    lease->seconds = lease_seconds(dhcp, message, seconds);
    if (news && dhcp->changed != NULL)
        dhcp->changed(dhcp->user, lease);
    return grant(dhcp, message, question, ACK, lease, answer);
}

/* Sections 4.3.3 and 4.3.4. An address that somebody else uses is not given out for a while. */
static void
on_given_back(Dhcp *dhcp, const Message *message, unsigned port, int64_t now)
{
    const uint32_t address = message->type == DECLINE ? message->wanted : message->client;
    DhcpLease *lease = dhcp_leases_find(&dhcp->leases, message->from.mac);

    if (lease == NULL || lease->address != address || lease->port != port)
        return;
    lease->bound = false;
    lease->issued = now;
    lease->seconds = message->type == DECLINE ? DECLINED_SECONDS : 0;
    if (dhcp->changed != NULL)
        dhcp->changed(dhcp->user, lease);
    if (message->type == DECLINE) {
        memset(lease->mac, 0, 6);
        memcpy(lease->mac + 2, &address, 4); /* nobody's */
    }
}

size_t
dhcp_answer(Dhcp *dhcp, unsigned port, int64_t now, const uint8_t *data, size_t size,
            uint8_t answer[DHCP_MESSAGE_MAX], DhcpTarget *target)
{
    uint32_t seconds = 0;
    Message message;
    size_t length = 0;

    if (!parse(data, size, &message, &seconds))
        return 0;
    message.from.groups = dhcp_settings_groups(dhcp->settings, &message.from);
    switch (message.type) {
    case DISCOVER: length = on_discover(dhcp, &message, port, now, seconds, data, answer); break;
    case REQUEST: length = on_request(dhcp, &message, port, now, seconds, data, answer); break;
    case INFORM: length = grant(dhcp, &message, data, ACK, NULL, answer); break;
    case DECLINE:
    case RELEASE: on_given_back(dhcp, &message, port, now); break;
    default: break;
    }
    /* The type is the answer's first option. */
    if (length != 0)
        aim(data, answer, answer[FIXED_SIZE + 2] == NAK, target);
    return length;
}
