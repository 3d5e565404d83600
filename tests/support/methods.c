/* SPDX-License-Identifier: MIT */
/* Which messages the classes of an external take: `methods FILE` loads it and
 * calls its setup, with the few calls of Pd that this makes answered from here.
 * Prints for each class a number, in the order in which they are made, and for
 * each message with arguments of any kind `number selector`. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_OF_ANY_KIND = 10 }; /* A_GIMME of m_pd.h */

struct symbol {
    const char *name;
};

struct pd_class {
    int number;
};

struct symbol s_anything = {"anything"}, s_signal = {"signal"};
struct symbol s_float = {"float"}, s_bang = {"bang"}, s_list = {"list"};

struct symbol *gensym(const char *name);
struct pd_class *class_new(struct symbol *name, ...);
void class_addmethod(struct pd_class *class, void (*method)(void),
                     struct symbol *selector, int first, ...);
void class_addbang(struct pd_class *class, void (*method)(void));
void class_addanything(struct pd_class *class, void (*method)(void));
void class_domainsignalin(struct pd_class *class, int at);
void class_setsavefn(struct pd_class *class, void (*save)(void));
void logpost(const void *object, int level, const char *format, ...);

struct symbol *gensym(const char *name)
{
    struct symbol *symbol = malloc(sizeof *symbol);

    if (!symbol || !(symbol->name = strdup(name)))
        exit(3);
    return symbol;
}

struct pd_class *class_new(struct symbol *name, ...)
{
    static int number;
    struct pd_class *class = malloc(sizeof *class);
    (void)name;

    if (!class)
        exit(3);
    class->number = ++number;
    return class;
}

void class_addmethod(struct pd_class *class, void (*method)(void),
                     struct symbol *selector, int first, ...)
{
    (void)method;
    if (first == ARGUMENTS_OF_ANY_KIND)
        printf("%d %s\n", class->number, selector->name);
}

void class_addbang(struct pd_class *class, void (*method)(void))
{
    (void)method;
    printf("%d bang\n", class->number);
}

void class_addanything(struct pd_class *class, void (*method)(void))
{
    (void)method;
    printf("%d anything\n", class->number);
}

void class_domainsignalin(struct pd_class *class, int at)
{
    (void)class;
    (void)at;
}

void class_setsavefn(struct pd_class *class, void (*save)(void))
{
    (void)class;
    (void)save;
}

void logpost(const void *object, int level, const char *format, ...)
{
    (void)object;
    (void)level;
    (void)format;
}

int main(int argc, char **argv)
{
    void *external = argc == 2 ? dlopen(argv[1], RTLD_LAZY) : NULL;
    void (*setup)(void);
    void *found;

    if (!external) {
        fprintf(stderr, "methods: %s\n",
                argc == 2 ? dlerror() : "usage: methods EXTERNAL");
        return 1;
    }
    found = dlsym(external, "shmlink_tilde_setup");
    if (!found)
        found = dlsym(external, "shmreg_setup");
    if (!found)
        return 1;
    memcpy(&setup, &found, sizeof setup);
    setup();
    return 0;
}
