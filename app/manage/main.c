/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine-manage: the command line. Finds the command, tells its errors and ends with the exit code
 * that scripts expect of VBoxManage: 0 done, 1 failed, 2 written wrongly. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/manage/manage.h"

#define EXIT_SYNTAX 2

#define COMMAND(name) extern const ManageCommand manage_command_##name;
#include "app/manage/commands.def"
#undef COMMAND

#define COMMAND(name) &manage_command_##name,
static const ManageCommand *const commands[] = {
#include "app/manage/commands.def"
};
#undef COMMAND

/* Names of the original's error codes, which scripts look for. */
static const char *const code_names[] = {
    [VITRINE_ERROR_INVALID] = "E_INVALIDARG (0x80070057)",
    [VITRINE_ERROR_NOT_FOUND] = "VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)",
    [VITRINE_ERROR_EXISTS] = "VBOX_E_FILE_ERROR (0x80bb0004)",
    [VITRINE_ERROR_NOT_SUPPORTED] = "VBOX_E_NOT_SUPPORTED (0x80bb0009)",
    [VITRINE_ERROR_BUSY] = "VBOX_E_OBJECT_IN_USE (0x80bb000c)",
    [VITRINE_ERROR_NO_SPACE] = "VBOX_E_FILE_ERROR (0x80bb0004)",
    [VITRINE_ERROR_NO_MEMORY] = "E_OUTOFMEMORY (0x8007000e)",
    [VITRINE_ERROR_IO] = "VBOX_E_FILE_ERROR (0x80bb0004)",
    [VITRINE_ERROR_CORRUPT] = "VBOX_E_FILE_ERROR (0x80bb0004)",
    [VITRINE_ERROR_STATE] = "VBOX_E_INVALID_VM_STATE (0x80bb0002)",
    [VITRINE_ERROR_DENIED] = "E_ACCESSDENIED (0x80070005)",
    [VITRINE_ERROR_READ_ONLY] = "VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)",
    [VITRINE_ERROR_DISCONNECTED] = "VBOX_E_INVALID_SESSION_STATE (0x80bb000b)",
};

static const ManageCommand *
find_command(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(commands[i]->name, name) || g_strcmp0(commands[i]->alias, name) == 0)
            return commands[i];
    }
    return NULL;
}

/* One line for each way to write the command. */
static void
print_usage(FILE *to, const Manage *manage, const ManageCommand *command)
{
    g_auto(GStrv) lines = g_strsplit(command->usage, "\n", -1);
    for (guint i = 0; lines[i] && *lines[i]; i++) {
        if (g_ascii_isspace(lines[i][0]))
            fprintf(to, "    %s\n", lines[i]);
        else
            fprintf(to, "  %s %s\n", manage->program, lines[i]);
    }
}

static void
print_titled_usage(FILE *to, const Manage *manage, const ManageCommand *command)
{
    fprintf(to, "Usage - %s:\n\n", command->title);
    print_usage(to, manage, command);
}

static void
print_overview(FILE *to, const Manage *manage)
{
    fprintf(to, "Usage: %s [--nologo] COMMAND [ARGUMENTS]\n\nCommands:\n\n", manage->program);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        print_usage(to, manage, commands[i]);
    fprintf(to,
            "\n  %s --version\n  %s help [COMMAND]\n\nMachines and media are named by name, file or"
            " UUID. Switches take on or off.\n",
            manage->program, manage->program);
}

static int
help(const Manage *manage, const char *name)
{
    const ManageCommand *command = name ? find_command(name) : NULL;
    if (name && command == NULL) {
        fprintf(stderr, "%s: error: Invalid command '%s'.\n", manage->program, name);
        return EXIT_SYNTAX;
    }
    if (command == NULL) {
        print_overview(stdout, manage);
        return EXIT_SUCCESS;
    }
    print_titled_usage(stdout, manage, command);
    printf("\n%s\n", command->about);
    return EXIT_SUCCESS;
}

static int
report(const Manage *manage, const ManageCommand *command, const GError *error)
{
    fprintf(stderr, "%s: error: %s\n", manage->program, error->message);
    if (error->domain == MANAGE_SYNTAX_ERROR) {
        fprintf(stderr, "\n");
        print_titled_usage(stderr, manage, command);
        return EXIT_SYNTAX;
    }
    if (error->domain == VITRINE_ERROR && (guint)error->code < G_N_ELEMENTS(code_names) &&
        code_names[error->code])
        fprintf(stderr, "%s: error: Details: code %s\n", manage->program, code_names[error->code]);
    return EXIT_FAILURE;
}

/* Under the original's name the version begins with the release whose syntax this is: scripts
 * decide by it. */
static void
print_version(const Manage *manage)
{
    bool as_original = g_str_equal(manage->program, "VBoxManage");
    printf("%s%s\n", as_original ? "7.0.0_Vitrine" : "", VITRINE_VERSION "r0");
}

static bool
asks_for_help(const ManageArgs *args)
{
    return args->at < args->count && g_str_equal(args->words[args->at], "--help");
}

static int
run(Manage *manage, ManageArgs *args)
{
    g_autoptr(GError) error = NULL;
    while (manage_args_take_option(args, "nologo", NULL) ||
           manage_args_take_option(args, "q", NULL))
        continue;
    if (manage_args_take_option(args, "version", NULL) ||
        manage_args_take_option(args, "v", NULL)) {
        print_version(manage);
        return EXIT_SUCCESS;
    }
    if (manage_args_take_option(args, "help", NULL) || manage_args_take_option(args, "h", NULL))
        return help(manage, manage_args_take(args));
    const char *name = manage_args_take(args);
    if (name == NULL) {
        print_overview(stderr, manage);
        return EXIT_SYNTAX;
    }
    if (g_str_equal(name, "help"))
        return help(manage, manage_args_take(args));
    const ManageCommand *command = find_command(name);
    if (command == NULL || asks_for_help(args))
        return help(manage, name);
    if (command->run(manage, args, &error))
        return EXIT_SUCCESS;
    return report(manage, command, error);
}

static bool
is_text(const Manage *manage, char **words, guint count)
{
    for (guint i = 0; i < count; i++) {
        if (!g_utf8_validate(words[i], -1, NULL)) {
            fprintf(stderr, "%s: error: Argument %u is not UTF-8 text.\n", manage->program, i + 1);
            return false;
        }
    }
    return true;
}

int
main(int argc, char **argv)
{
    Manage manage = {.program = "vitrine-manage"};
    ManageArgs args = {.words = argv + 1, .count = (guint)MAX(argc - 1, 0)};
    g_autofree char *called = g_path_get_basename(argc ? argv[0] : "");
    int code;

    setlocale(LC_ALL, "");
    if (g_str_equal(called, "VBoxManage"))
        manage.program = "VBoxManage";
    code = is_text(&manage, args.words, args.count) ? run(&manage, &args) : EXIT_SYNTAX;
    g_clear_object(&manage.client);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "%s: error: The output could not be written.\n", manage.program);
        return EXIT_FAILURE;
    }
    return code;
}
