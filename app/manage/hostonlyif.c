/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hostonlyif: network devices of the host that machines and the host share. Manual, chapter
 * VBoxManage, "hostonlyif". */
#include "app/manage/manage.h"

typedef struct {
    const char *ip, *mask, *ipv6;
    ManageNumber bits;
    bool dhcp;
} Config;

static bool
create(GError **error)
{
    g_autofree char *name = vitrine_host_only_create(error);

    if (name == NULL)
        return false;
    manage_print("Interface '%s' was successfully created\n", name);
    return true;
}

static bool
configure(ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"ip", MANAGE_TEXT, G_STRUCT_OFFSET(Config, ip)},
        {"netmask", MANAGE_TEXT, G_STRUCT_OFFSET(Config, mask)},
        {"ipv6", MANAGE_TEXT, G_STRUCT_OFFSET(Config, ipv6)},
        {"netmasklengthv6", MANAGE_NUMBER, G_STRUCT_OFFSET(Config, bits)},
        {"dhcp", MANAGE_FLAG, G_STRUCT_OFFSET(Config, dhcp)},
        {NULL},
    };
    Config config = {0};
    const char *name;

    if (!manage_args_parse(args, options, &config, &name, 1, 1, error))
        return false;
    if (config.dhcp) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The host's side of a host-only network has no DHCP client: say --ip.");
        return false;
    }
    if ((config.ip != NULL) == (config.ipv6 != NULL)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Say either --ip or --ipv6.");
        return false;
    }
    if (config.ip != NULL)
        return vitrine_host_only_configure(
            name, config.ip, config.mask != NULL ? config.mask : "255.255.255.0", 0, error);
    return vitrine_host_only_configure(name, config.ipv6, NULL,
                                       config.bits.given ? (guint)MIN(config.bits.value, 129) : 64,
                                       error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    const char *verb = manage_args_take(args), *name;

    if (g_strcmp0(verb, "create") == 0)
        return create(error);
    if (g_strcmp0(verb, "ipconfig") == 0)
        return configure(args, error);
    if (g_strcmp0(verb, "remove") == 0) {
        static const ManageOption none[] = {{NULL}};

        return manage_args_parse(args, none, NULL, &name, 1, 1, error) &&
               vitrine_host_only_remove(name, error);
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                verb != NULL ? "Invalid parameter '%s'" : "No subcommand was given.", verb);
    return false;
}

const ManageCommand manage_command_hostonlyif = {
    .name = "hostonlyif",
    .title = "Make and change host-only network devices",
    .usage = "hostonlyif create\n"
             "hostonlyif remove DEVICE\n"
             "hostonlyif ipconfig DEVICE --ip ADDRESS [--netmask MASK]\n"
             "hostonlyif ipconfig DEVICE --ipv6 ADDRESS|\"\" [--netmasklengthv6 BITS]\n",
    .about = "Makes a network device of the host that machines can be attached to, and gives it "
             "an address; an empty one of IPv6 takes that away. The host lets only its "
             "administrator do that.",
    .run = run,
};
