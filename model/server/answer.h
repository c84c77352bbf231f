/* Reads an answer, in a stream of events or in one piece, and complaints. Private to model/server.
 */
#ifndef GLMV_MODEL_SERVER_ANSWER_H
#define GLMV_MODEL_SERVER_ANSWER_H

#include "model/chat.h"
#include "model/server/text.h"

enum server_place {
    SERVER_PLACE_START,    /* only white space so far: "<think>" may follow */
    SERVER_PLACE_THINKING, /* between the tags, in the text channel */
    SERVER_PLACE_TEXT,
};

/* What a server complained about, in its own words. */
struct server_complaint {
    bool present;
    int status;    /* HTTP status, also where only the body says it */
    char code[48]; /* code or type, whichever is there */
    char message[400];
    long limit; /* tokens, where a number is part of the complaint; 0 otherwise */
};

struct server_answer {
    struct glmv_chat_result *result;
    const struct glmv_chat_watch *watch;
    struct server_utf8 text_rest, reasoning_rest;
    struct glmv_buf scratch, held; /* held: text that may be the start of a think tag */
    enum server_place place;
    double started; /* seconds, monotonic */
    bool begun;     /* a token arrived: no second try from here */
    bool finished;  /* a finish reason arrived */
    bool done;      /* [DONE], or a whole answer in one piece */
    bool broken;    /* the server said that its network failed */
    struct server_complaint complaint;
};

void server_answer_init(struct server_answer *answer, struct glmv_chat_result *result,
                        const struct glmv_chat_watch *watch);
void server_answer_release(struct server_answer *answer);

/* One event's data. false with err set when it is not understood or too long; a complaint inside
 * the stream is stored in answer->complaint and ends it with false as well, err untouched. */
bool server_answer_event(struct server_answer *answer, const char *data, size_t len,
                         struct glmv_err *err);
/* Nothing follows: gives out what was held back. */
bool server_answer_end(struct server_answer *answer, struct glmv_err *err);

/* Fills complaint from an error body (JSON or any text) with its HTTP status (0 inside a stream).
 */
void server_complaint_read(struct server_complaint *complaint, int status, const char *body,
                           size_t len);
/* Worth another try before the first token. */
bool server_complaint_passes(const struct server_complaint *complaint);
/* Stores one sentence that says what to do. key is wiped from the server's words. */
bool server_complaint_fail(const struct server_complaint *complaint, const char *url,
                           const char *model, const char *key, struct glmv_err *err);

#endif
