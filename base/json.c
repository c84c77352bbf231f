#include "base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

bool glmv_json_append(struct glmv_buf *buf, struct cJSON *root, struct glmv_err *err)
{
    char *text = root != NULL ? cJSON_Print(root) : NULL;
    cJSON_Delete(root);
    bool ok = text != NULL
                  ? glmv_buf_append_str(buf, text, err) && glmv_buf_append_str(buf, "\n", err)
                  : glmv_fail_memory(err);
    free(text);
    return ok;
}
