#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/image.h"
#include "tests/check.h"

static void first_failure_is_kept(void)
{
    struct glmv_err err = {0};
    CHECK(!glmv_fail(&err, GLMV_ERR_IO, "first %d", 1));
    CHECK(!glmv_fail(&err, GLMV_ERR_FORMAT, "second"));
    CHECK(err.code == GLMV_ERR_IO);
    CHECK_STR(err.message, "first 1");
}

static void buffer_stops_at_its_limit(void)
{
    struct glmv_err err = {0};
    struct glmv_buf buf;
    glmv_buf_init(&buf, 8);
    CHECK(glmv_buf_append_str(&buf, "12345678", &err));
    CHECK(!glmv_buf_append_str(&buf, "9", &err));
    CHECK(err.code == GLMV_ERR_LIMIT);
    CHECK(buf.data == NULL && buf.len == 0);
    glmv_buf_release(&buf);
}

static struct glmv_image *pattern(int w, int h)
{
    struct glmv_image *image = glmv_image_new(w, h, NULL);
    for (size_t i = 0; image != NULL && i < (size_t)w * (size_t)h * 4; i++) {
        image->rgba[i] = (uint8_t)(i * 37 % 251);
    }
    return image;
}

static void pictures_survive_png_and_webp(void)
{
    struct glmv_err err = {0};
    struct glmv_image *image = pattern(33, 17);
    for (int round = 0; round < 2; round++) {
        struct glmv_buf buf;
        glmv_buf_init(&buf, 1 << 20);
        CHECK(round == 0 ? glmv_image_encode_png(image, 6, &buf, &err)
                         : glmv_image_encode_webp(image, GLMV_WEBP_LOSSLESS, &buf, &err));
        struct glmv_image *back = glmv_image_decode(buf.data, buf.len, "x", &err);
        CHECK_MSG(back != NULL, "%s", err.message);
        CHECK(back != NULL && back->width == 33 && back->height == 17 &&
              memcmp(back->rgba, image->rgba, 33 * 17 * 4) == 0);
        glmv_image_free(back);
        for (size_t cut = 0; cut < buf.len; cut++) {
            struct glmv_err cut_err = {0};
            back = glmv_image_decode(buf.data, cut, "x", &cut_err);
            CHECK(back != NULL || cut_err.code != GLMV_ERR_NONE);
            glmv_image_free(back);
        }
        glmv_buf_release(&buf);
    }
    glmv_image_free(image);
}

static void a_part_is_cut_to_the_picture(void)
{
    struct glmv_err err = {0};
    struct glmv_image *image = pattern(10, 10);
    struct glmv_image *part = glmv_image_crop(image, -5, 8, 7, 7, &err);
    CHECK(part != NULL && part->width == 2 && part->height == 2);
    CHECK(part != NULL && memcmp(part->rgba, image->rgba + 80 * 4, 8) == 0);
    glmv_image_free(part);
    CHECK(glmv_image_crop(image, 10, 0, 5, 5, &err) == NULL);
    CHECK(err.code == GLMV_ERR_USAGE);
    glmv_image_free(image);
}

static const char *content_of(const char *path, struct glmv_buf *buf)
{
    glmv_buf_clear(buf);
    return glmv_file_read(path, 100, buf, NULL) ? buf->data : "";
}

static void a_file_that_can_be_made_again_is_replaced_whole(void)
{
    char folder[] = "/tmp/glmv-test-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    char path[64];
    snprintf(path, sizeof path, "%s/file", folder);
    struct glmv_buf buf;
    glmv_buf_init(&buf, 1 << 20);
    CHECK(glmv_file_write_soon(path, "first", 5, NULL));
    CHECK_STR(content_of(path, &buf), "first");
    CHECK(chmod(path, 0640) == 0 && glmv_file_write_soon(path, "second", 6, NULL));
    CHECK_STR(content_of(path, &buf), "second");
    struct stat st;
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640 && st.st_nlink == 1);
    glmv_buf_release(&buf);
    remove(path);
    CHECK(rmdir(folder) == 0); /* no temporary file is left */
}

static void a_file_is_replaced_whole(void)
{
    struct glmv_err err = {0};
    char path[] = "/tmp/glmv-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    fclose(fdopen(fd, "w"));
    CHECK(glmv_file_write(path, "hello", 5, &err));
    struct glmv_buf buf;
    glmv_buf_init(&buf, 1 << 20);
    CHECK(glmv_file_read(path, 100, &buf, &err));
    CHECK_STR(buf.data, "hello");
    glmv_buf_release(&buf);
    CHECK(!glmv_file_read(path, 3, &buf, &err));
    CHECK(err.code == GLMV_ERR_LIMIT);
    glmv_buf_release(&buf);
    remove(path);
    struct glmv_err no_folder = {0};
    CHECK(!glmv_file_write("/nonexistent/x", "a", 1, &no_folder));
    CHECK(no_folder.code == GLMV_ERR_IO);
}

/* Of a file, of a pipe, which has no size beforehand, and of one that says it has none. */
static void a_file_is_read_into_an_arena(void)
{
    struct glmv_arena memory = {0};
    struct glmv_err err = {0};
    char path[] = "/tmp/glmv-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
    close(fd);
    size_t len = 0;
    const char *bytes = glmv_file_read_in(path, 5, &memory, &len, &err);
    CHECK(bytes != NULL && len == 5 && memcmp(bytes, "hello", 5) == 0);
    CHECK(glmv_file_read_in(path, 4, &memory, &len, &err) == NULL && err.code == GLMV_ERR_LIMIT);
    remove(path);
    err = (struct glmv_err){0};
    CHECK(glmv_file_read_in(path, 4, &memory, &len, &err) == NULL && err.code == GLMV_ERR_IO);
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "through a pipe", 14) == 14);
    close(ends[1]);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    bytes = glmv_file_read_in(name, 100, &memory, &len, &err);
    CHECK(bytes != NULL && len == 14 && memcmp(bytes, "through a pipe", 14) == 0);
    close(ends[0]);
    bytes = glmv_file_read_in("/proc/self/status", 1 << 20, &memory, &len, &err);
    CHECK(bytes != NULL && len > 100 && memcmp(bytes, "Name:", 5) == 0);
    glmv_arena_release(&memory);
}

int main(void)
{
    first_failure_is_kept();
    buffer_stops_at_its_limit();
    pictures_survive_png_and_webp();
    a_part_is_cut_to_the_picture();
    a_file_is_replaced_whole();
    a_file_that_can_be_made_again_is_replaced_whole();
    a_file_is_read_into_an_arena();
    TEST_END();
}
