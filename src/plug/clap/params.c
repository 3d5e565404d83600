/* SPDX-License-Identifier: MIT */
/* Parameters of a CLAP plugin: their list, values and texts. */
#include "plug/clap/clap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list --------------------------------------------------------------------- */

static double in_range(const struct clap_param *info, double value)
{
    if (!isfinite(value))
        return info->minimum;
    return value < info->minimum   ? info->minimum
           : value > info->maximum ? info->maximum
                                   : value;
}

/* The last folder of "oscillator 1/filter". */
static void group_of(const struct clap_param *info, char *group, size_t size)
{
    char module[CLAP_MODULE_SIZE];
    char *slash;
    size_t length;

    snprintf(module, sizeof(module), "%s", info->module);
    length = strlen(module);
    while (length > 0 && module[length - 1] == '/')
        module[--length] = 0;
    slash = strrchr(module, '/');
    snprintf(group, size, "%s", slash ? slash + 1 : module);
    shl_text_clean(group, size);
}

/* False: this is no parameter that anybody could set or read. */
static int describe(const struct clap_param *info, struct shl_param *param)
{
    const double steps = info->maximum - info->minimum + 1;

    memset(param, 0, sizeof(*param));
    param->id = info->id;
    if (info->flags & CLAP_PARAM_READ_ONLY)
        param->flags |= SHL_PARAM_READ_ONLY;
    else if (info->flags & CLAP_PARAM_AUTOMATABLE)
        param->flags |= SHL_PARAM_AUTOMATABLE;
    if (info->flags & CLAP_PARAM_STEPPED && steps >= 2 && steps <= 65536) {
        param->curve = SHL_CURVE_STEPPED;
        param->steps = (uint32_t)steps;
        if (param->steps == 2 && info->minimum >= 0 && info->minimum <= 0)
            param->flags |= SHL_PARAM_TOGGLE;
    }
    param->minimum = info->minimum;
    param->maximum = info->maximum;
    param->initial = in_range(info, info->initial);
    snprintf(param->name, sizeof(param->name), "%.63s", info->name);
    shl_text_clean(param->name, sizeof(param->name));
    if (!param->name[0])
        snprintf(param->name, sizeof(param->name), "%u", info->id);
    group_of(info, param->group, sizeof(param->group));
    return shl_param_check(param) == SHL_OK;
}

struct sorted {
    uint32_t id, index;
};

static int by_id(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static int sort(struct clap *clap)
{
    struct sorted *sorted = calloc(clap->param_count + 1, sizeof(*sorted));

    if (!sorted)
        return 0;
    for (uint32_t i = 0; i < clap->param_count; i++)
        sorted[i] = (struct sorted){clap->param[i].info.id, i};
    qsort(sorted, clap->param_count, sizeof(*sorted), by_id);
    for (uint32_t i = 0; i < clap->param_count; i++)
        clap->by_id[i] = sorted[i].index;
    free(sorted);
    return 1;
}

static int make_room(struct clap *clap, uint32_t count)
{
    clap->param = calloc(count + 1, sizeof(*clap->param));
    clap->by_id = calloc(count + 1, sizeof(*clap->by_id));
    clap->list = calloc(count + 1, sizeof(*clap->list));
    clap->said = calloc(count + 1, sizeof(*clap->said));
    return clap->param && clap->by_id && clap->list && clap->said;
}

shl_status clap_params_read(struct clap *clap, struct shl_why *why)
{
    const uint32_t count = clap->params ? clap->params->count(clap->own) : 0;

    clap_params_free(clap);
    if (!make_room(clap, count)) {
        shl_why_set(why, "there is no memory for %u parameters", count);
        return SHL_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct clap_param_state *param = &clap->param[clap->param_count];

        memset(&param->info, 0, sizeof(param->info));
        if (!clap->params->get(clap->own, i, &param->info))
            continue;
        param->info.name[CLAP_TEXT_SIZE - 1] = 0;
        param->info.module[CLAP_MODULE_SIZE - 1] = 0;
        param->visible = UINT32_MAX;
        if (!(param->info.flags & CLAP_PARAM_HIDDEN) &&
            describe(&param->info, &clap->list[clap->list_count]))
            param->visible = clap->list_count++;
        clap->param_count++;
    }
    if (!sort(clap))
        return SHL_NO_MEMORY;
    clap_params_values(clap);
    return SHL_OK;
}

void clap_params_free(struct clap *clap)
{
    free(clap->param);
    free(clap->by_id);
    free(clap->list);
    free(clap->said);
    clap->param = NULL;
    clap->by_id = clap->said = NULL;
    clap->list = NULL;
    clap->param_count = clap->list_count = clap->said_count = 0;
}

struct clap_param_state *clap_param_find(const struct clap *clap, uint32_t id)
{
    uint32_t low = 0, high = clap->param_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        struct clap_param_state *param = &clap->param[clap->by_id[middle]];

        if (param->info.id == id)
            return param;
        if (param->info.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- values ------------------------------------------------------------------------ */

void clap_params_values(struct clap *clap)
{
    for (uint32_t i = 0; i < clap->param_count; i++) {
        double value = clap->param[i].info.initial;

        clap->params->value(clap->own, clap->param[i].info.id, &value);
        clap_value_set(&clap->param[i], in_range(&clap->param[i].info, value));
    }
}

uint32_t clap_param_list(const struct plugin *plugin,
                         const struct shl_param **list)
{
    *list = clap_of(plugin)->list;
    return clap_of(plugin)->list_count;
}

double clap_value(const struct plugin *plugin, uint32_t id)
{
    const struct clap_param_state *param = clap_param_find(clap_of(plugin), id);

    return param ? clap_value_get(param) : 0;
}

shl_status clap_text(struct plugin *plugin, uint32_t id, double value,
                     char *text, size_t size)
{
    struct clap *clap = clap_of(plugin);
    const struct clap_param_state *param = clap_param_find(clap, id);

    if (!param)
        return SHL_NOT_FOUND;
    clap->text[0] = 0;
    if (!clap->params->to_text(clap->own, id, in_range(&param->info, value),
                               clap->text, sizeof(clap->text)))
        return SHL_UNSUPPORTED;
    clap->text[sizeof(clap->text) - 1] = 0;
    snprintf(text, size, "%s", clap->text);
    shl_text_clean(text, size);
    return SHL_OK;
}
