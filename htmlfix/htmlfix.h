/*
 * Makes one valid page out of whatever a model said: thinking, prose, fences, envelopes and escapes
 * around the document are taken off, the last complete document of several is chosen, what was cut
 * off is closed, and what a browser would build otherwise than it was meant is repaired. A document
 * that is already fine comes out byte for byte, and fixing twice is fixing once. It knows nothing
 * of models or rendering and never invents content.
 *
 *     struct glmv_fix fix;
 *     if (glmv_html_fix(answer, len, &html, &fix, &err) && (fix.flags & GLMV_FIX_TRUNCATED)) {
 *         ... ask the model to go on ...
 *     }
 */
#ifndef GLMV_HTMLFIX_HTMLFIX_H
#define GLMV_HTMLFIX_HTMLFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum glmv_fix_flag {
    GLMV_FIX_AROUND = 1 << 0,         /* text around the document was left out */
    GLMV_FIX_THINKING = 1 << 1,       /* thinking before it was left out */
    GLMV_FIX_DUPLICATE = 1 << 2,      /* there were several documents */
    GLMV_FIX_TRUNCATED = 1 << 3,      /* the document has no end; what was open was closed */
    GLMV_FIX_NO_HTML = 1 << 4,        /* there is no document */
    GLMV_FIX_UNCLOSED_THINK = 1 << 5, /* the answer never left its thinking */
    GLMV_FIX_NO_ANSWER = 1 << 6,      /* nothing but thinking, or nothing at all */
    GLMV_FIX_UNESCAPED = 1 << 7,      /* backslashes or entities around the markup were undone */
    GLMV_FIX_ENVELOPE = 1 << 8,       /* the document was a string in JSON */
    GLMV_FIX_FRAGMENT = 1 << 9,       /* a piece of a page; a minimal document was put around it */
    GLMV_FIX_INLINED = 1 << 10,       /* a style sheet or script of its own fence was put in */
    GLMV_FIX_ELIDED = 1 << 11,        /* a comment stands for content: "rest of the page" */
    GLMV_FIX_LOOP = 1 << 12,          /* the end repeats itself and was cut to two periods */
    GLMV_FIX_UNCLOSED = 1 << 13,      /* an element's missing end tag was put where it was meant */
    GLMV_FIX_JSX = 1 << 14,           /* className, htmlFor, <div />; or {...} that stays */
    GLMV_FIX_QUOTES = 1 << 15,        /* curly quotes around attribute values became straight */
    GLMV_FIX_BASE64 = 1 << 16,        /* a data URI without end was taken out */
    GLMV_FIX_BYTES = 1 << 17,         /* NUL, or bytes that are no UTF-8 */
};
enum { GLMV_FIX_FLAGS = 18, GLMV_FIX_MAX_NOTES = 48 };

/* One finding. */
struct glmv_fix_note {
    enum glmv_fix_flag flag;
    size_t begin, end;    /* bytes of the answer */
    const char *sentence; /* static; one sentence without a newline */
};

struct glmv_fix {
    unsigned flags; /* of enum glmv_fix_flag; 0: the text was a document already and came out byte
                       for byte */
    size_t start, end; /* bytes of the text that the document came from */
    struct glmv_fix_note notes[GLMV_FIX_MAX_NOTES]; /* in order of discovery; the first of each flag
                                                       is always there */
    size_t note_count;
};

/*
 * Appends the document to out. Work and memory are linear in len. Without a document out stays as
 * it is, fix->flags has GLMV_FIX_NO_HTML and the result is false with GLMV_ERR_FORMAT.
 */
bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix,
                   struct glmv_err *err);

/* The name of a flag, as the JSON of `fix` says it. */
const char *glmv_fix_name(enum glmv_fix_flag flag);

/*
 * The same for an answer that arrives in pieces: whatever the pieces, finish gives what
 * glmv_html_fix gives for the whole.
 */
struct glmv_fix_stream;

/* max: bytes of the longest answer; feeding more is GLMV_ERR_LIMIT. NULL: no memory. */
struct glmv_fix_stream *glmv_fix_stream_open(size_t max, struct glmv_err *err);
bool glmv_fix_stream_feed(struct glmv_fix_stream *stream, const char *text, size_t len,
                          struct glmv_err *err);
/*
 * The document so far, closed so that it can be shown; NULL while there is none. It lives until the
 * next call and is made anew only after the answer has grown by a sixteenth, so that asking after
 * every byte stays linear in all.
 */
const char *glmv_fix_stream_preview(struct glmv_fix_stream *stream, size_t *len);
/* As glmv_html_fix, for all that was fed. */
bool glmv_fix_stream_finish(struct glmv_fix_stream *stream, struct glmv_buf *out,
                            struct glmv_fix *fix, struct glmv_err *err);
/* NULL is allowed. */
void glmv_fix_stream_close(struct glmv_fix_stream *stream);

#endif
