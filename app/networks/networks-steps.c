/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes of networks: see the header. */
#include "app/networks/networks-steps.h"

/* One of the four calls: of a NAT network or of a DHCP server, a record or a verb. */
typedef struct {
    char *name;
    const char *verb; /* static; NULL: the record is saved */
    VitrineNatNetwork *network;
    VitrineDhcpServer *server;
    gboolean dhcp;
} Step;

struct NetworksSteps {
    VitrineClient *client;
    GPtrArray *steps; /* Step */
    guint at;
    NetworksStepsDone done;
    GObject *data;
};

static void
step_free(gpointer data)
{
    Step *step = data;

    g_free(step->name);
    g_clear_pointer(&step->network, vitrine_nat_network_free);
    g_clear_pointer(&step->server, vitrine_dhcp_server_free);
    g_free(step);
}

NetworksSteps *
networks_steps_new(VitrineClient *client)
{
    NetworksSteps *steps = g_new0(NetworksSteps, 1);

    steps->client = g_object_ref(client);
    steps->steps = g_ptr_array_new_with_free_func(step_free);
    return steps;
}

static void
add(NetworksSteps *steps, const Step *step)
{
    g_ptr_array_add(steps->steps, g_memdup2(step, sizeof(*step)));
}

void
networks_steps_save_nat(NetworksSteps *steps, const char *name, const VitrineNatNetwork *network)
{
    add(steps, &(Step){.name = g_strdup(name), .network = vitrine_nat_network_copy(network)});
}

void
networks_steps_change_nat(NetworksSteps *steps, const char *name, const char *verb)
{
    add(steps, &(Step){.name = g_strdup(name), .verb = verb});
}

void
networks_steps_save_dhcp(NetworksSteps *steps, const VitrineDhcpServer *server)
{
    add(steps, &(Step){.server = vitrine_dhcp_server_copy(server), .dhcp = TRUE});
}

void
networks_steps_change_dhcp(NetworksSteps *steps, const char *name, const char *verb)
{
    add(steps, &(Step){.name = g_strdup(name), .verb = verb, .dhcp = TRUE});
}

static void
end(NetworksSteps *steps, const GError *error)
{
    steps->done(steps->data, error);
    g_object_unref(steps->data);
    g_object_unref(steps->client);
    g_ptr_array_unref(steps->steps);
    g_free(steps);
}

static void next(NetworksSteps *steps);

static void
on_done(GObject *source, GAsyncResult *result, gpointer data)
{
    NetworksSteps *steps = data;
    const Step *step = steps->steps->pdata[steps->at++];
    VitrineClient *client = VITRINE_CLIENT(source);
    g_autoptr(GError) error = NULL;
    gboolean ok;

    if (step->dhcp)
        ok = step->verb != NULL ? vitrine_client_change_dhcp_server_finish(client, result, &error)
                                : vitrine_client_save_dhcp_server_finish(client, result, &error);
    else
        ok = step->verb != NULL ? vitrine_client_change_nat_network_finish(client, result, &error)
                                : vitrine_client_save_nat_network_finish(client, result, &error);
    if (ok)
        next(steps);
    else
        end(steps, error);
}

static void
next(NetworksSteps *steps)
{
    const Step *step;

    if (steps->at == steps->steps->len) {
        end(steps, NULL);
        return;
    }
    step = steps->steps->pdata[steps->at];
    if (step->dhcp && step->verb != NULL)
        vitrine_client_change_dhcp_server_async(steps->client, step->name, step->verb, NULL,
                                                on_done, steps);
    else if (step->dhcp)
        vitrine_client_save_dhcp_server_async(steps->client, step->server, NULL, on_done, steps);
    else if (step->verb != NULL)
        vitrine_client_change_nat_network_async(steps->client, step->name, step->verb, NULL,
                                                on_done, steps);
    else
        vitrine_client_save_nat_network_async(steps->client, step->name, step->network, NULL,
                                              on_done, steps);
}

void
networks_steps_run(NetworksSteps *steps, NetworksStepsDone done, GObject *data)
{
    steps->done = done;
    steps->data = g_object_ref(data);
    next(steps);
}
