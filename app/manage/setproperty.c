/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setproperty: defaults for all machines. Manual, chapter VBoxManage, "setproperty". Leaves out:
 * autostart, extension packs. */
#include "app/manage/manage.h"

typedef enum { PROPERTY_TEXT, PROPERTY_PATH, PROPERTY_UINT, PROPERTY_SWITCH, PROPERTY_PROXY } Kind;

static const struct {
    const char *name;
    const char *property;
    Kind kind;
} properties[] = {
    {"defaultfrontend", "default-frontend", PROPERTY_TEXT},
    {"hwvirtexclusive", "exclusive-hw-virt", PROPERTY_SWITCH},
    {"language", "language-id", PROPERTY_TEXT},
    {"loghistorycount", "log-history-count", PROPERTY_UINT},
    {"machinefolder", "machine-folder", PROPERTY_PATH},
    {"proxymode", "proxy-mode", PROPERTY_PROXY},
    {"proxyurl", "proxy-url", PROPERTY_TEXT},
    {"vrdeauthlibrary", "vrde-auth-library", PROPERTY_TEXT},
    {"websrvauthlibrary", "web-service-auth-library", PROPERTY_TEXT},
};

static GVariant *
parse_number(const char *text, GError **error)
{
    guint64 number;
    if (manage_parse_number(text, &number) && number <= G_MAXUINT32)
        return g_variant_new_uint32((guint32)number);
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "'%s' is not a number.", text);
    return NULL;
}

static GVariant *
parse_proxy(const char *text, GError **error)
{
    static const char *const modes[] = {"system", "noproxy", "manual"};
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(modes[i], text) == 0)
            return g_variant_new_uint32(i);
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "'%s' is none of these: system, noproxy, manual.",
                text);
    return NULL;
}

static GVariant *
parse_switch(const char *text, GError **error)
{
    char *words[] = {(char *)text};
    ManageArgs args = {.words = words, .count = 1, .option = "hwvirtexclusive"};
    bool on;
    return manage_args_switch(&args, &on, error) ? g_variant_new_boolean(on) : NULL;
}

/* default means none of one's own. */
static GVariant *
parse(Kind kind, const char *text, GError **error)
{
    bool is_default = g_str_equal(text, "default");
    g_autofree char *path = NULL;
    switch (kind) {
    case PROPERTY_TEXT: return g_variant_new_string(is_default ? "" : text);
    case PROPERTY_UINT: return parse_number(text, error);
    case PROPERTY_SWITCH: return parse_switch(text, error);
    case PROPERTY_PROXY: return parse_proxy(text, error);
    case PROPERTY_PATH:
        path = is_default || *text == '\0' ? g_strdup("") : manage_absolute_path(text);
        return g_variant_new_string(path);
    }
    return NULL;
}

static bool
set(Manage *manage, const char *name, const char *text, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        if (!g_str_equal(properties[i].name, name))
            continue;
        g_autoptr(GVariant) value = parse(properties[i].kind, text, error);
        if (value == NULL)
            return false;
        g_variant_ref_sink(value);
        VitrineClient *client = manage_client(manage, error);
        return client && vitrine_client_set_system_property_sync(client, properties[i].property,
                                                                 value, NULL, error);
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", name);
    return false;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *words[2];
    return manage_args_parse(args, options, NULL, words, 2, 2, error) &&
           set(manage, words[0], words[1], error);
}

const ManageCommand manage_command_setproperty = {
    .name = "setproperty",
    .title = "Set a default for all machines",
    .usage = "setproperty machinefolder default|FOLDER\n"
             "setproperty hwvirtexclusive on|off\n"
             "setproperty vrdeauthlibrary|websrvauthlibrary default|LIBRARY\n"
             "setproperty loghistorycount NUMBER\n"
             "setproperty defaultfrontend default|NAME\n"
             "setproperty language default|CODE\n"
             "setproperty proxymode system|noproxy|manual\n"
             "setproperty proxyurl URL\n",
    .about = "Sets a default for all machines.",
    .run = run,
};
