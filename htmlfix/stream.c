/* An answer that arrives in pieces. */
#include <stdint.h>
#include <stdlib.h>

#include "htmlfix/htmlfix.h"

struct glmv_fix_stream {
    struct glmv_buf text;
    struct glmv_buf page; /* the preview */
    size_t seen;          /* bytes of the text that the preview knows */
    bool shown;           /* there is a preview */
    bool failed;          /* a piece did not fit: what was fed is lost */
};

struct glmv_fix_stream *glmv_fix_stream_open(size_t max, struct glmv_err *err)
{
    struct glmv_fix_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    glmv_buf_init(&stream->text, max);
    glmv_buf_init(&stream->page, max < SIZE_MAX / 8 ? max * 4 + 65536 : max);
    return stream;
}

bool glmv_fix_stream_feed(struct glmv_fix_stream *stream, const char *text, size_t len,
                          struct glmv_err *err)
{
    stream->failed = stream->failed || !glmv_buf_append(&stream->text, text, len, err);
    return !stream->failed || glmv_fail(err, GLMV_ERR_LIMIT, "the answer was too long before");
}

const char *glmv_fix_stream_preview(struct glmv_fix_stream *stream, size_t *len)
{
    size_t grown = stream->text.len - stream->seen;
    if (grown > 0 && grown >= stream->seen / 16) {
        struct glmv_fix fix;
        glmv_buf_clear(&stream->page);
        stream->seen = stream->text.len;
        stream->shown =
            glmv_html_fix(stream->text.data, stream->text.len, &stream->page, &fix, NULL);
    }
    *len = stream->shown ? stream->page.len : 0;
    return stream->shown ? stream->page.data : NULL;
}

bool glmv_fix_stream_finish(struct glmv_fix_stream *stream, struct glmv_buf *out,
                            struct glmv_fix *fix, struct glmv_err *err)
{
    *fix = (struct glmv_fix){0};
    if (stream->failed) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "the answer was too long");
    }
    const char *text = stream->text.data != NULL ? stream->text.data : "";
    return glmv_html_fix(text, stream->text.len, out, fix, err);
}

void glmv_fix_stream_close(struct glmv_fix_stream *stream)
{
    if (stream != NULL) {
        glmv_buf_release(&stream->text);
        glmv_buf_release(&stream->page);
        free(stream);
    }
}
