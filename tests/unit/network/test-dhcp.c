/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The DHCP server: the four steps to an address, renewal, kept addresses, options, leases from
 * before, and clients that take all they can. */
#include <string.h>

#include "app/worker/dhcp.h"
#include "devices/drivers/network/frame/frame.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum { NOW = 1000000, SERVER = 0x0a000003, LOWER = 0x0a000010, UPPER = 0x0a000013 };

static const uint8_t first[6] = {8, 0, 0x27, 0, 0, 1}, second[6] = {8, 0, 0x27, 0, 0, 2};
static const DhcpScope for_all = {.kind = DHCP_FOR_ALL},
                       for_second = {.kind = DHCP_FOR_CARD, .mac = {8, 0, 0x27, 0, 0, 2}};

/* Classes that the client says; "": none. */
typedef struct {
    const char *vendor, *user;
} Classes;

typedef struct {
    Dhcp *dhcp;
    unsigned changes;
    DhcpLease last;
    uint8_t answer[DHCP_MESSAGE_MAX];
    size_t size;
    DhcpTarget target;
    Classes classes;
} Fixture;

static void
on_changed(void *user, const DhcpLease *lease)
{
    Fixture *fixture = user;

    fixture->changes++;
    fixture->last = *lease;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    const DhcpRange range = {SERVER, 0xffffff00, LOWER, UPPER};

    fixture->dhcp = dhcp_new(&range, on_changed, fixture);
    g_assert_nonnull(fixture->dhcp);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    dhcp_free(fixture->dhcp);
}

static uint8_t *
put32(uint8_t *at, uint8_t number, uint32_t value)
{
    at[0] = number;
    at[1] = 4;
    frame_store32(at + 2, value);
    return at + 6;
}

static uint8_t *
put_class(uint8_t *at, uint8_t number, const char *text)
{
    const size_t size = text != NULL ? strlen(text) : 0;

    if (size == 0)
        return at;
    at[0] = number;
    at[1] = (uint8_t)size;
    memcpy(at + 2, text, size);
    return at + 2 + size;
}

/* The type of the answer; 0: none. */
static unsigned
say(Fixture *fixture, unsigned type, const uint8_t mac[6], unsigned port, int64_t now,
    uint32_t client, uint32_t wanted, uint32_t server)
{
    static const uint8_t wishes[] = {55, 4, 1, 3, 6, 66};
    uint8_t message[300] = {1, 1, 6, 0, 1, 2, 3, 4};
    uint8_t *at = message + 240;

    frame_store32(message + 12, client);
    memcpy(message + 28, mac, 6);
    frame_store32(message + 236, 0x63825363);
    *at++ = 53;
    *at++ = 1;
    *at++ = (uint8_t)type;
    at = put_class(at, 60, fixture->classes.vendor);
    at = put_class(at, 77, fixture->classes.user);
    if (wanted != 0)
        at = put32(at, 50, wanted);
    if (server != 0)
        at = put32(at, 54, server);
    memcpy(at, wishes, sizeof(wishes));
    at[sizeof(wishes)] = 255;
    fixture->size = dhcp_answer(fixture->dhcp, port, now, message, sizeof(message), fixture->answer,
                                &fixture->target);
    return fixture->size != 0 ? fixture->answer[242] : 0;
}

static uint32_t
given(const Fixture *fixture)
{
    return frame_load32(fixture->answer + 16);
}

static const uint8_t *
option(const Fixture *fixture, uint8_t number)
{
    for (size_t at = 240; at + 1 < fixture->size && fixture->answer[at] != 255;
         at += 2u + fixture->answer[at + 1]) {
        if (fixture->answer[at] == number)
            return fixture->answer + at + 1;
    }
    return NULL;
}

static void
test_way_to_address(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpuint(say(fixture, DISCOVER, first, 0, NOW, 0, 0, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, LOWER);
    g_assert_cmpuint(fixture->changes, ==, 0);
    g_assert_cmpmem(fixture->target.mac, 6, first, 6);
    g_assert_cmpuint(say(fixture, REQUEST, first, 0, NOW, 0, LOWER, SERVER), ==, ACK);
    g_assert_cmphex(given(fixture), ==, LOWER);
    g_assert_cmpuint(fixture->changes, ==, 1);
    g_assert_true(fixture->last.bound);
    g_assert_cmphex(frame_load32(option(fixture, 1) + 1), ==, 0xffffff00);
    g_assert_cmpuint(frame_load32(option(fixture, 51) + 1), ==, 600);
    g_assert_null(option(fixture, 3));
    /* Renewal at once is no news; later it is. */
    g_assert_cmpuint(say(fixture, REQUEST, first, 0, NOW + 1, LOWER, 0, 0), ==, ACK);
    g_assert_cmpuint(fixture->changes, ==, 1);
    g_assert_cmpuint(say(fixture, REQUEST, first, 0, NOW + 300, LOWER, 0, 0), ==, ACK);
    g_assert_cmpuint(fixture->changes, ==, 2);
    /* Another card gets another one, and not the first's. */
    g_assert_cmpuint(say(fixture, DISCOVER, second, 1, NOW, 0, LOWER, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, LOWER + 1);
    g_assert_cmpuint(say(fixture, REQUEST, second, 1, NOW, 0, LOWER, SERVER), ==, NAK);
    g_assert_cmphex(fixture->target.address, ==, UINT32_MAX);
    /* What is another server's is not answered. */
    g_assert_cmpuint(say(fixture, REQUEST, second, 1, NOW, 0, LOWER + 1, SERVER + 1), ==, 0);
    /* Given back by another card: it stays. */
    say(fixture, RELEASE, first, 1, NOW + 301, LOWER, 0, SERVER);
    g_assert_true(dhcp_find(fixture->dhcp, first)->bound);
    say(fixture, RELEASE, first, 0, NOW + 301, LOWER, 0, SERVER);
    g_assert_false(dhcp_find(fixture->dhcp, first)->bound);
    g_assert_cmpuint(say(fixture, DISCOVER, first, 0, NOW + 302, 0, 0, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, LOWER);
}

static void
test_settings(Fixture *fixture, gconstpointer data)
{
    const uint8_t router[] = {10, 0, 0, 1}, other[] = {10, 0, 0, 9};

    g_assert_true(dhcp_set_option(fixture->dhcp, &for_all, 3, router, 4, false));
    g_assert_true(dhcp_set_option(fixture->dhcp, &for_second, 3, other, 4, false));
    g_assert_true(dhcp_set_option(fixture->dhcp, &for_all, 66, (const uint8_t *)"boot", 4, false));
    g_assert_true(dhcp_set_option(fixture->dhcp, &for_all, 15, (const uint8_t *)"here", 4, true));
    g_assert_false(dhcp_set_option(fixture->dhcp, &for_all, 51, router, 4, false));
    g_assert_true(dhcp_set_times(fixture->dhcp, &for_all, (const uint32_t[]){0, 1200, 0}));
    g_assert_true(dhcp_set_times(fixture->dhcp, &for_second, (const uint32_t[]){0, 60, 0}));
    g_assert_true(dhcp_set_fixed(fixture->dhcp, second, 0x0a0000f0));
    g_assert_false(dhcp_set_fixed(fixture->dhcp, second, 0x0b0000f0));
    g_assert_cmpuint(say(fixture, DISCOVER, first, 0, NOW, 0, 0x0a0000f0, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, LOWER);
    g_assert_cmpmem(option(fixture, 3) + 1, 4, router, 4);
    g_assert_cmpuint(frame_load32(option(fixture, 51) + 1), ==, 1200);
    g_assert_cmpmem(option(fixture, 15) + 1, 4, "here", 4);
    g_assert_cmpstr((const char *)fixture->answer + 44, ==, "boot");
    g_assert_cmpuint(say(fixture, DISCOVER, second, 0, NOW, 0, 0, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, 0x0a0000f0);
    g_assert_cmpmem(option(fixture, 3) + 1, 4, other, 4);
    g_assert_cmpuint(frame_load32(option(fixture, 51) + 1), ==, 60);
}

static char
router(Fixture *fixture, const uint8_t mac[6], const char *vendor, const char *user)
{
    fixture->classes = (Classes){vendor, user};
    g_assert_cmpuint(say(fixture, DISCOVER, mac, 0, NOW, 0, 0, 0), ==, OFFER);
    return option(fixture, 3) != NULL ? (char)option(fixture, 3)[4] : '-';
}

/* Who is in which group, and which settings count. */
static void
test_groups(Fixture *fixture, gconstpointer data)
{
    const DhcpScope one = {.kind = DHCP_FOR_GROUP, .group = 0},
                    two = {.kind = DHCP_FOR_GROUP, .group = 1},
                    none = {.kind = DHCP_FOR_GROUP, .group = 2};
    Dhcp *dhcp = fixture->dhcp;

    dhcp_set_option(dhcp, &two, 3, (const uint8_t *)"\0\0\0t", 4, false);
    dhcp_set_option(dhcp, &for_all, 3, (const uint8_t *)"\0\0\0a", 4, false);
    dhcp_set_option(dhcp, &one, 3, (const uint8_t *)"\0\0\0o", 4, false);
    dhcp_set_option(dhcp, &none, 3, (const uint8_t *)"\0\0\0n", 4, false);
    dhcp_set_times(dhcp, &for_all, (const uint32_t[]){0, 1200, 0});
    dhcp_set_times(dhcp, &two, (const uint32_t[]){0, 60, 0});
    g_assert_true(dhcp_set_condition(dhcp, 0, true, DHCP_VENDOR, "PXE", 3));
    g_assert_true(dhcp_set_condition(dhcp, 0, true, DHCP_USER_PATTERN, "i?XE*", 5));
    g_assert_true(dhcp_set_condition(dhcp, 0, false, DHCP_MAC, second, 6));
    g_assert_true(dhcp_set_condition(dhcp, 1, true, DHCP_MAC_PATTERN, "08:00:27:*", 10));
    g_assert_true(dhcp_set_condition(dhcp, 1, true, DHCP_VENDOR_PATTERN, "*:Arch:*0?", 10));
    g_assert_true(dhcp_set_condition(dhcp, 2, false, DHCP_USER, "x", 1));
    g_assert_false(dhcp_set_condition(dhcp, DHCP_GROUPS_MAX, true, DHCP_USER, "x", 1));
    g_assert_cmpint(router(fixture, first, NULL, NULL), ==, 't');
    g_assert_cmpuint(frame_load32(option(fixture, 51) + 1), ==, 60);
    g_assert_cmpint(router(fixture, first, "PXE", NULL), ==, 'o');
    g_assert_cmpint(router(fixture, first, "PXEClient", NULL), ==, 't');
    g_assert_cmpint(router(fixture, second, "PXE", NULL), ==, 't');
    g_assert_cmpint(router(fixture, first, NULL, "iPXE"), ==, 'o');
    g_assert_cmpint(router(fixture, first, NULL, "\2ab\4iPXE"), ==, 'o');
    g_assert_cmpint(router(fixture, first, NULL, "\2ab\5iPXE"), ==, 't');
    g_assert_cmpint(router(fixture, (const uint8_t[]){2, 0, 0, 0, 0, 1}, NULL, NULL), ==, 'a');
    g_assert_cmpuint(frame_load32(option(fixture, 51) + 1), ==, 1200);
    g_assert_cmpint(
        router(fixture, (const uint8_t[]){2, 0, 0, 0, 0, 1}, "PXEClient:Arch:00007", NULL), ==,
        't');
    g_assert_cmpint(
        router(fixture, (const uint8_t[]){2, 0, 0, 0, 0, 1}, "PXEClient:Arch:00017", NULL), ==,
        'a');
    /* What is kept silent for a group is silent, whatever is said for all. */
    dhcp_set_option(dhcp, &one, 3, NULL, 0, false);
    g_assert_cmpint(router(fixture, first, "PXE", NULL), ==, '-');
    dhcp_set_option(dhcp, &for_second, 3, (const uint8_t *)"\0\0\0c", 4, false);
    g_assert_cmpint(router(fixture, second, "PXE", NULL), ==, 'c');
}

/* The pool has four addresses; leases end, and the one that ended first is given out again. */
static void
test_exhaustion(Fixture *fixture, gconstpointer data)
{
    uint8_t mac[6] = {2, 0, 0, 0, 0, 0};

    for (unsigned i = 0; i < 4; i++) {
        mac[5] = (uint8_t)i;
        g_assert_cmpuint(say(fixture, REQUEST, mac, i, NOW + i, 0, LOWER + i, 0), ==, ACK);
    }
    g_assert_cmpuint(say(fixture, DISCOVER, first, 9, NOW + 5, 0, 0, 0), ==, 0);
    g_assert_cmpuint(say(fixture, DISCOVER, first, 9, NOW + 700, 0, 0, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), ==, LOWER);
    /* In use by somebody else. */
    g_assert_cmpuint(say(fixture, REQUEST, first, 9, NOW + 700, 0, LOWER, SERVER), ==, ACK);
    say(fixture, DECLINE, first, 9, NOW + 701, 0, LOWER, SERVER);
    g_assert_cmpuint(say(fixture, DISCOVER, first, 9, NOW + 702, 0, LOWER, 0), ==, OFFER);
    g_assert_cmphex(given(fixture), !=, LOWER);
}

/* One card that gives itself a thousand names does not take the others' addresses. */
static void
test_greedy(void)
{
    const DhcpRange range = {SERVER, 0xffffff00, LOWER, LOWER + 99};
    Fixture fixture = {.dhcp = dhcp_new(&range, NULL, NULL)};
    uint8_t mac[6] = {2, 0, 0, 0, 0, 0};
    unsigned offers = 0;

    for (unsigned i = 0; i < 1000; i++) {
        mac[4] = (uint8_t)(i >> 8);
        mac[5] = (uint8_t)i;
        offers += say(&fixture, DISCOVER, mac, 0, NOW, 0, 0, 0) == OFFER;
    }
    g_assert_cmpuint(offers, ==, DHCP_LEASES_OF_PORT);
    g_assert_cmpuint(say(&fixture, DISCOVER, first, 1, NOW, 0, 0, 0), ==, OFFER);
    dhcp_free(fixture.dhcp);
}

static void
test_restore(Fixture *fixture, gconstpointer data)
{
    DhcpLease lease = {.address = LOWER + 2, .seconds = 600, .issued = NOW, .bound = true};
    const DhcpLease outside = {.mac = {2}, .address = 0x0a0000c8, .seconds = 600, .issued = NOW};

    memcpy(lease.mac, first, 6);
    dhcp_restore(fixture->dhcp, &lease);
    dhcp_restore(fixture->dhcp, &outside);
    g_assert_null(dhcp_find(fixture->dhcp, outside.mac));
    g_assert_cmpuint(say(fixture, REQUEST, first, 0, NOW + 30, 0, LOWER + 2, 0), ==, ACK);
    g_assert_cmphex(given(fixture), ==, LOWER + 2);
}

static void
test_ranges(void)
{
    const DhcpRange wrong[] = {{SERVER, 0xffffff00, UPPER, LOWER},
                               {SERVER, 0xffffff00, LOWER, 0x0a000110},
                               {SERVER, 0xffffff00, 0, UPPER}};

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_null(dhcp_new(&wrong[i], NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)
    ADD("/dhcp/way-to-address", test_way_to_address);
    ADD("/dhcp/settings", test_settings);
    ADD("/dhcp/groups", test_groups);
    ADD("/dhcp/exhaustion", test_exhaustion);
    ADD("/dhcp/restore", test_restore);
#undef ADD
    g_test_add_func("/dhcp/greedy", test_greedy);
    g_test_add_func("/dhcp/ranges", test_ranges);
    return g_test_run();
}
