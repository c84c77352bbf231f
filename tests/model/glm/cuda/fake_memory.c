#include <stdlib.h>
#include <string.h>

#include "tests/model/glm/cuda/fake.h"

struct piece {
    unsigned char *base;
    size_t bytes;
    bool pinned;
    unsigned char *kept, *before; /* owned; see fake_memory_keep */
    struct piece *next;
};

static struct piece *pieces;
static size_t in_use, most_in_use, count;

void *fake_memory_take(size_t bytes, bool pinned)
{
    struct piece *p = malloc(sizeof *p);
    /* exactly as long as asked for, so that the address sanitizer sees the end */
    void *base = NULL;
    if (fake_is_hollow()) { /* most of it is never touched */
        base = calloc(1, bytes);
    } else if (posix_memalign(&base, 256, bytes) == 0) {
        memset(base, 0xFF, bytes); /* no number in any float format */
    }
    if (p == NULL || base == NULL) {
        fake_wrong("the test itself has no memory");
    }
    *p = (struct piece){base, bytes, pinned, NULL, NULL, pieces};
    pieces = p;
    count++;
    in_use += bytes;
    most_in_use = in_use > most_in_use ? in_use : most_in_use;
    return base;
}

void fake_memory_give(void *memory, bool pinned)
{
    for (struct piece **at = &pieces; *at != NULL; at = &(*at)->next) {
        struct piece *p = *at;
        if (p->base == memory && p->pinned == pinned) {
            *at = p->next;
            in_use -= p->bytes;
            count--;
            free(p->base);
            free(p->kept);
            free(p->before);
            free(p);
            return;
        }
    }
    fake_wrong("%s memory that is not there is given back", pinned ? "pinned" : "device");
}

bool fake_memory_holds(const void *at, size_t bytes, bool pinned)
{
    const unsigned char *from = at;
    for (const struct piece *p = pieces; p != NULL; p = p->next) {
        if (p->pinned == pinned && from >= p->base && from <= p->base + p->bytes &&
            bytes <= (size_t)(p->base + p->bytes - from)) {
            return true;
        }
    }
    return false;
}

void fake_memory_keep(void)
{
    for (struct piece *p = pieces; p != NULL; p = p->next) {
        if (!p->pinned) {
            unsigned char *room = p->before != NULL ? p->before : malloc(p->bytes);
            if (room == NULL) {
                fake_wrong("the test itself has no memory");
            }
            p->before = p->kept;
            p->kept = room;
            memcpy(room, p->base, p->bytes);
        }
    }
}

void fake_memory_back(void)
{
    for (struct piece *p = pieces; p != NULL; p = p->next) {
        if (p->before != NULL) {
            memcpy(p->base, p->before, p->bytes);
        }
    }
}

void fake_memory_forth(void)
{
    for (struct piece *p = pieces; p != NULL; p = p->next) {
        if (p->before != NULL) {
            memcpy(p->base, p->kept, p->bytes);
        }
    }
}

void fake_memory_count(size_t *out, size_t *bytes, size_t *most)
{
    *out = count;
    *bytes = in_use;
    *most = most_in_use;
}
