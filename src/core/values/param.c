/* SPDX-License-Identifier: MIT */
#include "shmlink/param.h"

#include "shmlink/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int text_ok(const char *text, size_t size, int may_be_empty)
{
    return memchr(text, 0, size) && (may_be_empty || text[0]);
}

static int curve_ok(const struct shl_param *param)
{
    if (param->curve == SHL_CURVE_STEPPED)
        return param->steps >= 2;
    if (param->flags & SHL_PARAM_TOGGLE || param->steps)
        return 0;
    return param->curve == SHL_CURVE_LINEAR ||
           (param->curve == SHL_CURVE_LOG && param->minimum > 0);
}

shl_status shl_param_check(const struct shl_param *param)
{
    /* NaN fails each of these comparisons; the width must be a number too */
    int range = isfinite(param->maximum - param->minimum) &&
                param->minimum < param->maximum &&
                param->initial >= param->minimum &&
                param->initial <= param->maximum;
    int toggle = param->flags & SHL_PARAM_TOGGLE ? param->steps == 2 : 1;
    int texts = text_ok(param->name, sizeof param->name, 0) &&
                text_ok(param->label, sizeof param->label, 1) &&
                text_ok(param->group, sizeof param->group, 1);

    return range && toggle && texts && curve_ok(param) ? SHL_OK : SHL_BAD_VALUE;
}

/* NaN goes to the lower end. */
static double clip(double value, double low, double high)
{
    if (!(value > low))
        return low;
    return value < high ? value : high;
}

static double to_step(const struct shl_param *param, double normal)
{
    double last = param->steps > 1 ? param->steps - 1.0 : 1.0;

    return floor(normal * last + 0.5) / last;
}

double shl_param_plain(const struct shl_param *param, double normal)
{
    double low = param->minimum, high = param->maximum;

    if (param->flags & SHL_PARAM_NO_RANGE)
        return isfinite(normal) ? normal : 0;
    normal = clip(normal, 0, 1);
    if (param->curve == SHL_CURVE_STEPPED)
        normal = to_step(param, normal);
    /* the ends exactly, whatever pow rounds to */
    if (normal <= 0)
        return low;
    if (normal >= 1)
        return high;
    if (param->curve == SHL_CURVE_LOG)
        return clip(low * pow(high / low, normal), low, high);
    return clip(low + normal * (high - low), low, high);
}

double shl_param_normal(const struct shl_param *param, double plain)
{
    double low = param->minimum, high = param->maximum;
    double normal;

    if (param->flags & SHL_PARAM_NO_RANGE)
        return isfinite(plain) ? plain : 0;
    plain = clip(plain, low, high);
    if (param->curve == SHL_CURVE_LOG)
        normal = log(plain / low) / log(high / low);
    else
        normal = (plain - low) / (high - low);
    if (param->curve == SHL_CURVE_STEPPED)
        normal = to_step(param, normal);
    return clip(normal, 0, 1);
}

double shl_param_clip(const struct shl_param *param, double plain)
{
    if (param->flags & SHL_PARAM_NO_RANGE)
        return isfinite(plain) ? plain : 0;
    if (param->curve == SHL_CURVE_STEPPED)
        return shl_param_plain(param, shl_param_normal(param, plain));
    return clip(plain, param->minimum, param->maximum);
}

void shl_param_text(const struct shl_param *param, double plain, char *text,
                    size_t size)
{
    const char *space = param->label[0] ? " " : "";
    int whole; /* large, but no larger than people read */

    if (size == 0)
        return;
    plain = shl_param_clip(param, plain);
    whole = fabs(plain) >= 1000 && fabs(plain) < 1e9;
    if (param->flags & SHL_PARAM_TOGGLE)
        snprintf(text, size, "%s", plain > param->minimum ? "on" : "off");
    else
        snprintf(text, size, "%s%s%.*s",
                 whole ? shl_places(plain, 0).text : shl_digits(plain, 4).text,
                 space, (int)sizeof param->label, param->label);
}

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t\n\v\f\r");
}

/* Whether `text` is `word` and then only spaces. */
static int rest_is(const char *text, const char *word, size_t size)
{
    const char *end = memchr(word, 0, size);
    size_t length = end ? (size_t)(end - word) : size;

    return strncmp(text, word, length) == 0 && !*skip_spaces(text + length);
}

shl_status shl_param_read(const struct shl_param *param, const char *text,
                          double *plain)
{
    double value;
    const char *end;

    text = skip_spaces(text);
    if (param->flags & SHL_PARAM_TOGGLE) {
        int on = rest_is(text, "on", 2);
        if (on || rest_is(text, "off", 3)) {
            *plain = on ? param->maximum : param->minimum;
            return SHL_OK;
        }
    }
    value = shl_number_read(text, &end);
    if (end == text || !isfinite(value))
        return SHL_BAD_VALUE;
    end += strspn(end, " \t");
    if (*end && !rest_is(end, param->label, sizeof param->label))
        return SHL_BAD_VALUE;
    *plain = shl_param_clip(param, value);
    return SHL_OK;
}

int shl_name_matches(const char *wanted, const char *name)
{
    for (; *wanted && *name; wanted++, name++)
        if (*wanted != *name && !(*wanted == '_' && *name == ' '))
            return 0;
    return *wanted == *name;
}

/* ---- many of them ---------------------------------------------------------- */

shl_status shl_param_order(const struct shl_param *params, uint32_t count,
                           uint32_t *by_id)
{
    shl_status status = SHL_OK;

    for (uint32_t i = 0; i < count; i++)
        by_id[i] = i;
    /* Shell's sort: no memory, and quick enough for a thousand */
    for (uint32_t gap = count / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < count; i++) {
            uint32_t moved = by_id[i], at = i;
            for (; at >= gap && params[by_id[at - gap]].id > params[moved].id;
                 at -= gap)
                by_id[at] = by_id[at - gap];
            by_id[at] = moved;
        }
    }
    for (uint32_t i = 1; i < count; i++)
        if (params[by_id[i]].id == params[by_id[i - 1]].id)
            status = SHL_BAD_VALUE;
    return status;
}

int32_t shl_param_index(const struct shl_param *params, uint32_t count,
                        const uint32_t *by_id, uint32_t id)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (params[by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && params[by_id[low]].id == id ? (int32_t)by_id[low]
                                                      : -1;
}
