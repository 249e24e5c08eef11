/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opens settings files. They are hostile: size and nesting are bounded, document type definitions
 * (and with them entities) are refused, the network is never asked. */
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <string.h>

#include "app/service/settings/file-error.h"
#include "app/service/settings/xml.h"

#define MAX_FILE_SIZE (32 * 1024 * 1024)
#define NAMESPACE "http://www.virtualbox.org/"

#if defined(__linux__)
#define PLATFORM "linux"
#elif defined(__APPLE__)
#define PLATFORM "macosx"
#elif defined(_WIN32)
#define PLATFORM "windows"
#elif defined(__FreeBSD__)
#define PLATFORM "freebsd"
#else
#define PLATFORM "solaris"
#endif

static gboolean
corrupt(GError **error, const char *path, const char *reason)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT, "The settings file \"%s\" %s.", path,
                reason);
    return FALSE;
}

static char *
read_bounded(const char *path, gsize *length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    GStatBuf status = {0};
    if (g_stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        corrupt(error, path, "is no file");
        return NULL;
    }
    if (status.st_size > MAX_FILE_SIZE) {
        corrupt(error, path, "is too large");
        return NULL;
    }
    if (!g_file_get_contents(path, &text, length, &cause)) {
        int errnum = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)   ? ENOENT
                     : g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_ACCES) ? EACCES
                                                                                : EIO;
        file_error_set(error, errnum, "The settings file \"%s\" cannot be read", path);
        return NULL;
    }
    if (*length == 0)
        corrupt(error, path, "is empty");
    else if (strlen(text) != *length)
        corrupt(error, path, "is not an XML text");
    else if (strstr(text, "<!DOCTYPE") || strstr(text, "<!ENTITY"))
        corrupt(error, path, "has a document type, which settings files never have");
    else
        return g_steal_pointer(&text);
    return NULL;
}

static void
ignore_error(void *context, const char *format, ...)
{
}

static xmlDocPtr
parse(const char *path, const char *text, gsize length, GError **error)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (parser->sax) /* what is wrong is told once, by the error that is returned */
        parser->sax->warning = parser->sax->error = ignore_error;
    xmlDocPtr doc =
        xmlCtxtReadMemory(parser, text, (int)length, path, NULL,
                          XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_HUGE |
                              XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (doc == NULL) {
        const xmlError *last = xmlCtxtGetLastError(parser);
        g_autofree char *message = g_strdup(last && last->message ? last->message : "unknown");
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                    "The settings file \"%s\" is damaged: line %d: %s.", path,
                    last ? last->line : 0, g_strstrip(message));
    }
    xmlFreeParserCtxt(parser);
    return doc;
}

/* How deep elements of this name are nested. Bounded by the parser's own limit. */
static guint
nesting(xmlNodePtr node, const char *name)
{
    guint deepest = 0;
    for (xmlNodePtr child = node->children; child; child = child->next) {
        guint below = child->type == XML_ELEMENT_NODE ? nesting(child, name) : 0;
        deepest = MAX(deepest, below);
    }
    return deepest + (strcmp((const char *)node->name, name) == 0);
}

static gboolean
check_version(SettingsFile *file, xmlNodePtr root, GError **error)
{
    int major = 0, minor = 0;
    char after = '\0';
    file->version = xml_get(root, "version");
    if (file->version == NULL)
        return corrupt(error, file->path, "has no version");
    int found = sscanf(file->version, "%d.%d%c", &major, &minor, &after);
    if (found < 2 || (found == 3 && after != '-') || major < 1 || minor < 0)
        return corrupt(error, file->path, "has a version that is no number");
    if (major == 1 && minor < SETTINGS_OLDEST)
        return corrupt(error, file->path, "is older than version 1.3, the oldest that is read");
    file->number = major > 1 ? SETTINGS_NEWEST + 1 : minor;
    file->loaded_version = g_strdup(file->version);
    if (file->number > SETTINGS_NEWEST) {
        g_free(file->read_only_reason);
        file->read_only_reason =
            g_strdup_printf("\"%s\" has the settings version %s, and this program writes up to "
                            "1.%d: what is in it can be used, but only a newer program changes it.",
                            file->path, file->version, SETTINGS_NEWEST);
    }
    return TRUE;
}

static gboolean
check_document(SettingsFile *file, GError **error)
{
    xmlNodePtr root = xmlDocGetRootElement(file->doc);
    const char *wanted = file->kind == SETTINGS_GLOBAL ? "Global" : "Machine";
    if (file->doc->intSubset)
        return corrupt(error, file->path, "has a document type");
    if (root == NULL || strcmp((const char *)root->name, "VirtualBox") != 0)
        return corrupt(error, file->path, "is not a settings file");
    if (!check_version(file, root, error))
        return FALSE;
    file->body = xml_child(root, wanted);
    if (file->body == NULL && xml_child(root, "MachineEncrypted")) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The machine of \"%s\" is encrypted, which this version cannot open.",
                    file->path);
        return FALSE;
    }
    if (file->body == NULL || xml_next(file->body)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                    "The settings file \"%s\" has not exactly one element <%s>.", file->path,
                    wanted);
        return FALSE;
    }
    if (nesting(file->body, "Snapshot") > SETTINGS_MAX_NESTING ||
        nesting(file->body, "HardDisk") > SETTINGS_MAX_DISK_NESTING)
        return corrupt(error, file->path, "has more than 250 snapshots or 300 disks in one line");
    return TRUE;
}

/* A damaged file is left as it is; the last good copy may be there. */
static void
add_advice(GError **error, const char *path)
{
    g_autofree char *copy = g_strconcat(path, "-prev", NULL);
    g_autofree char *message = NULL;
    if (!g_error_matches(*error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT))
        return;
    message = g_file_test(copy, G_FILE_TEST_EXISTS)
                  ? g_strdup_printf("%s The copy \"%s\" is from before the last change; put it in "
                                    "its place to go on.",
                                    (*error)->message, copy)
                  : g_strdup_printf("%s Mend it, or put a copy in its place.", (*error)->message);
    g_clear_error(error);
    g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT, message);
}

static SettingsFile *
load(const char *path, SettingsKind kind, GError **error)
{
    gsize length = 0;
    g_autofree char *text = read_bounded(path, &length, error);
    if (text == NULL)
        return NULL;
    g_autoptr(SettingsFile) file = g_new0(SettingsFile, 1);
    file->path = g_canonicalize_filename(path, NULL);
    file->kind = kind;
    file->read_only_reason = g_strdup("");
    file->doc = parse(path, text, length, error);
    if (file->doc == NULL || !check_document(file, error))
        return NULL;
    return g_steal_pointer(&file);
}

SettingsFile *
settings_file_load(const char *path, SettingsKind kind, GError **error)
{
    g_autoptr(GError) cause = NULL;
    SettingsFile *file = load(path, kind, &cause);
    if (file)
        return file;
    add_advice(&cause, path);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}

SettingsFile *
settings_file_new(const char *path, SettingsKind kind)
{
    SettingsFile *file = g_new0(SettingsFile, 1);
    file->path = g_canonicalize_filename(path, NULL);
    file->kind = kind;
    file->number = SETTINGS_FIRST;
    file->version = g_strdup_printf("1.%d-" PLATFORM, SETTINGS_FIRST);
    file->read_only_reason = g_strdup("");
    file->doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr root = xmlNewDocNode(file->doc, NULL, (const xmlChar *)"VirtualBox", NULL);
    xmlDocSetRootElement(file->doc, root);
    xmlSetNs(root, xmlNewNs(root, (const xmlChar *)NAMESPACE, NULL));
    xmlSetProp(root, (const xmlChar *)"version", (const xmlChar *)file->version);
    xmlAddPrevSibling(root, xmlNewDocComment(file->doc,
                                             (const xmlChar *)"\n** Kept by Vitrine. Do not edit "
                                                              "while one of its programs "
                                                              "runs.\n"));
    file->body = xml_add(root, kind == SETTINGS_GLOBAL ? "Global" : "Machine");
    return file;
}

void
settings_file_free(SettingsFile *file)
{
    if (file == NULL)
        return;
    if (file->doc)
        xmlFreeDoc(file->doc);
    g_free(file->path);
    g_free(file->version);
    g_free(file->loaded_version);
    g_free(file->read_only_reason);
    g_free(file);
}

const char *
settings_file_path(const SettingsFile *file)
{
    return file->path;
}

void
settings_file_set_path(SettingsFile *file, const char *path)
{
    g_autofree char *old = file->path;
    file->path = g_canonicalize_filename(path, NULL);
}

const char *
settings_file_version(const SettingsFile *file)
{
    return file->version;
}

gboolean
settings_file_is_before_registries(const SettingsFile *file)
{
    return file->kind == SETTINGS_MACHINE && file->number < 11;
}

const char *
settings_file_read_only_reason(const SettingsFile *file)
{
    return file->read_only_reason;
}

void
settings_file_need_version(SettingsFile *file, int number)
{
    if (number <= file->number)
        return;
    settings_file_upgrade(file, file->number, number);
    file->number = number;
    g_free(file->version);
    file->version = g_strdup_printf("1.%d-" PLATFORM, number);
    xml_set(xmlDocGetRootElement(file->doc), "version", file->version);
}

char *
settings_file_absolute(const SettingsFile *file, const char *location)
{
    g_autofree char *folder = g_path_get_dirname(file->path);
    return g_canonicalize_filename(location, folder);
}

char *
settings_file_relative(const SettingsFile *file, const char *location)
{
    g_autofree char *folder = g_path_get_dirname(file->path);
    gsize length = strlen(folder);
    if (g_str_has_prefix(location, folder) && location[length] == '/')
        return g_strdup(location + length + 1);
    return g_strdup(location);
}
