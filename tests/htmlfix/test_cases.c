/*
 * Reads the files in tests/htmlfix/cases: prose with fenced input and output. A case is a heading,
 * a fence "input" and a fence "output", and a line "Flags: a b" (or "Flags: none"). Fences are made
 * of five backticks. In input and output \e stands for nothing at the end of a line (its newline
 * does not count), \0 for NUL, \xNN for a byte and \\ for a backslash where the info string has the
 * word "escaped". An output fence with the info string "nothing" means that there is no document.
 * Each case is also fixed twice, and fed in pieces of 1, 3, 17 and 1000 bytes.
 */
#include <dirent.h>

#include "base/file.h"
#include "htmlfix/htmlfix.h"
#include "tests/check.h"

#define LIMIT ((size_t)1 << 22)

struct part {
    char *text;
    size_t len;
    bool nothing;
};

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void unescape(struct part *part)
{
    size_t out = 0;
    for (size_t i = 0; i < part->len; i++) {
        char c = part->text[i];
        if (c == '\\' && i + 1 < part->len) {
            char kind = part->text[++i];
            if (kind == 'e' && i + 1 < part->len && part->text[i + 1] == '\n') {
                i++;
                continue;
            }
            if (kind == 'x' && i + 2 < part->len) {
                c = (char)(hex(part->text[i + 1]) * 16 + hex(part->text[i + 2]));
                i += 2;
            } else {
                c = kind == '0' ? '\0' : kind == 'r' ? '\r' : kind == 'e' ? '\0' : kind;
                if (kind == 'e') {
                    continue;
                }
            }
        }
        part->text[out++] = c;
    }
    part->len = out;
}

/* The fence after *at whose info string starts with a word; false when there is none. */
static bool next_fence(char **at, const char *word, struct part *part)
{
    char *open = strstr(*at, "\n`````");
    if (open == NULL || strncmp(open + 6, word, strlen(word)) != 0) {
        return false;
    }
    char *line = strchr(open + 1, '\n');
    char *close = line != NULL ? strstr(line, "\n`````") : NULL;
    if (close == NULL) {
        return false;
    }
    char *info = open + 6;
    *line = '\0';
    part->nothing = strstr(info, "nothing") != NULL;
    bool escaped = strstr(info, "escaped") != NULL, open_end = strstr(info, "no newline") != NULL;
    part->text = line + 1;
    part->len = close >= part->text ? (size_t)(close - part->text) + (open_end ? 0 : 1) : 0;
    *at = close + 6;
    if (escaped) {
        unescape(part);
    }
    return true;
}

static void check_flags(const char *name, const char *line, unsigned flags)
{
    char got[400] = "";
    for (unsigned i = 0; i < GLMV_FIX_FLAGS; i++) {
        if (flags & 1u << i) {
            strcat(got, got[0] != '\0' ? " " : "");
            strcat(got, glmv_fix_name((enum glmv_fix_flag)(1u << i)));
        }
    }
    size_t len = strcspn(line, "\n");
    CHECK_MSG(strlen(got[0] != '\0' ? got : "none") == len &&
                  strncmp(line, got[0] != '\0' ? got : "none", len) == 0,
              "%s: flags are '%s', wanted '%.*s'", name, got, (int)len, line);
}

static void check_notes(const char *name, const struct glmv_fix *fix, size_t len)
{
    unsigned seen = 0;
    for (size_t i = 0; i < fix->note_count; i++) {
        const struct glmv_fix_note *note = &fix->notes[i];
        seen |= (unsigned)note->flag;
        CHECK_MSG(note->begin <= note->end && note->end <= len && note->sentence[0] != '\0',
                  "%s: note %s %zu..%zu of %zu", name, glmv_fix_name(note->flag), note->begin,
                  note->end, len);
    }
    CHECK_MSG(seen == fix->flags, "%s: a flag without a note", name);
}

static void check_pieces(const char *name, const struct part *in, size_t size, bool ok,
                         const struct glmv_buf *whole)
{
    struct glmv_fix fix;
    struct glmv_buf out;
    glmv_buf_init(&out, LIMIT);
    struct glmv_fix_stream *stream = glmv_fix_stream_open(LIMIT, NULL);
    for (size_t at = 0; at < in->len; at += size) {
        size_t left = in->len - at, shown;
        CHECK(glmv_fix_stream_feed(stream, in->text + at, left < size ? left : size, NULL));
        (void)glmv_fix_stream_preview(stream, &shown);
    }
    size_t shown;
    const char *preview = glmv_fix_stream_preview(stream, &shown);
    CHECK_MSG(!ok || size > 1 || preview != NULL, "%s: nothing to show", name);
    CHECK_MSG(glmv_fix_stream_finish(stream, &out, &fix, NULL) == ok, "%s: in pieces", name);
    CHECK_MSG(!ok || (out.len == whole->len && memcmp(out.data, whole->data, out.len) == 0),
              "%s: in pieces of %zu", name, size);
    glmv_fix_stream_close(stream);
    glmv_buf_release(&out);
}

static void check_case(const char *name, const struct part *in, const struct part *want,
                       const char *flags)
{
    struct glmv_fix fix;
    struct glmv_buf out, twice;
    glmv_buf_init(&out, LIMIT);
    glmv_buf_init(&twice, LIMIT);
    bool ok = glmv_html_fix(in->text, in->len, &out, &fix, NULL);
    CHECK_MSG(ok != want->nothing, "%s: %s", name, ok ? out.data : "no document");
    check_flags(name, flags, fix.flags);
    check_notes(name, &fix, in->len);
    if (ok && !want->nothing) {
        CHECK_MSG(out.len == want->len && memcmp(out.data, want->text, out.len) == 0,
                  "%s: got\n%s\nwanted\n%.*s", name, out.data, (int)want->len, want->text);
        CHECK_MSG(glmv_html_fix(out.data, out.len, &twice, &fix, NULL) && twice.len == out.len &&
                      memcmp(out.data, twice.data, out.len) == 0,
                  "%s: fixed twice", name);
    }
    static const size_t sizes[] = {1, 3, 17, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_pieces(name, in, sizes[i], ok, &out);
    }
    glmv_buf_release(&out);
    glmv_buf_release(&twice);
}

static int read_cases(const char *path)
{
    struct glmv_buf file;
    int count = 0;
    glmv_buf_init(&file, LIMIT);
    CHECK_MSG(glmv_file_read(path, LIMIT, &file, NULL), "%s", path);
    char *at = file.data;
    while (at != NULL && (at = strstr(at, "\n## ")) != NULL) {
        char *name = at + 4;
        struct part in = {0}, want = {0};
        at = strchr(name, '\n');
        *at = '\0';
        *at = '\n';
        char title[120];
        snprintf(title, sizeof title, "%s: %.*s", strrchr(path, '/') + 1, (int)strcspn(name, "\n"),
                 name);
        bool whole = next_fence(&at, "input", &in) && next_fence(&at, "output", &want);
        char *flags = whole ? strstr(at, "\nFlags: ") : NULL;
        CHECK_MSG(flags != NULL, "%s: input, output or flags are missing", title);
        if (flags == NULL) {
            break;
        }
        check_case(title, &in, &want, flags + 8);
        at = flags + 1;
        count++;
    }
    glmv_buf_release(&file);
    return count;
}

int main(void)
{
    static const char folder[] = "tests/htmlfix/cases";
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[512];
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ".md") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += read_cases(path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    CHECK_MSG(count >= 40, "%d cases", count);
    TEST_END();
}
