#include "htmlfix/tags.h"

#include <string.h>

#include "htmlfix/chars.h"

/* In alphabetical order; the first entry stands for every other name. */
static const struct htmlfix_tag tags[] = {
    {"", 0},
    {"a", HTMLFIX_FORMAT},
    {"abbr", 0},
    {"acronym", 0},
    {"address", HTMLFIX_BLOCK},
    {"annotation-xml", HTMLFIX_PORTAL},
    {"answer", HTMLFIX_WRAPPER},
    {"applet", HTMLFIX_SCOPE},
    {"area", HTMLFIX_VOID},
    {"arg_key", HTMLFIX_WRAPPER},
    {"arg_value", HTMLFIX_WRAPPER},
    {"article", HTMLFIX_BLOCK},
    {"artifact", HTMLFIX_WRAPPER},
    {"aside", HTMLFIX_BLOCK},
    {"audio", 0},
    {"b", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"base", HTMLFIX_VOID | HTMLFIX_HEAD},
    {"basefont", HTMLFIX_VOID},
    {"bdi", 0},
    {"bdo", 0},
    {"bgsound", HTMLFIX_VOID},
    {"big", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"blockquote", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"body", HTMLFIX_BREAKOUT | HTMLFIX_FRAME},
    {"boltaction", HTMLFIX_WRAPPER},
    {"boltartifact", HTMLFIX_WRAPPER},
    {"br", HTMLFIX_VOID | HTMLFIX_BREAKOUT},
    {"button", 0},
    {"canvas", 0},
    {"caption", HTMLFIX_OPTIONAL | HTMLFIX_SCOPE | HTMLFIX_TABLE},
    {"center", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"cite", 0},
    {"code", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT | HTMLFIX_CODE},
    {"col", HTMLFIX_VOID},
    {"colgroup", HTMLFIX_OPTIONAL | HTMLFIX_TABLE},
    {"data", 0},
    {"datalist", 0},
    {"dd", HTMLFIX_OPTIONAL | HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"del", 0},
    {"desc", HTMLFIX_PORTAL},
    {"details", HTMLFIX_BLOCK},
    {"dfn", 0},
    {"dialog", HTMLFIX_BLOCK},
    {"dir", HTMLFIX_BLOCK},
    {"div", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"dl", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"dt", HTMLFIX_OPTIONAL | HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"em", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"embed", HTMLFIX_VOID | HTMLFIX_BREAKOUT},
    {"fieldset", HTMLFIX_BLOCK},
    {"figcaption", HTMLFIX_BLOCK},
    {"figure", HTMLFIX_BLOCK},
    {"file", HTMLFIX_WRAPPER},
    {"final", HTMLFIX_WRAPPER},
    {"font", HTMLFIX_FORMAT},
    {"footer", HTMLFIX_BLOCK},
    {"foreignobject", HTMLFIX_PORTAL},
    {"form", HTMLFIX_BLOCK},
    {"frame", HTMLFIX_VOID},
    {"frameset", 0},
    {"h1", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"h2", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"h3", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"h4", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"h5", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"h6", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"head", HTMLFIX_BREAKOUT | HTMLFIX_FRAME},
    {"header", HTMLFIX_BLOCK},
    {"hgroup", HTMLFIX_BLOCK},
    {"hr", HTMLFIX_VOID | HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"html", HTMLFIX_FRAME},
    {"html_output", HTMLFIX_WRAPPER},
    {"i", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"iframe", HTMLFIX_RAW},
    {"img", HTMLFIX_VOID | HTMLFIX_BREAKOUT},
    {"input", HTMLFIX_VOID},
    {"ins", 0},
    {"kbd", HTMLFIX_CODE},
    {"keygen", HTMLFIX_VOID},
    {"label", 0},
    {"legend", 0},
    {"li", HTMLFIX_OPTIONAL | HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"link", HTMLFIX_VOID | HTMLFIX_HEAD},
    {"main", HTMLFIX_BLOCK},
    {"map", 0},
    {"mark", 0},
    {"marquee", HTMLFIX_SCOPE},
    {"math", HTMLFIX_FOREIGN},
    {"menu", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"meta", HTMLFIX_VOID | HTMLFIX_BREAKOUT | HTMLFIX_HEAD},
    {"meter", 0},
    {"mi", HTMLFIX_PORTAL},
    {"mn", HTMLFIX_PORTAL},
    {"mo", HTMLFIX_PORTAL},
    {"ms", HTMLFIX_PORTAL},
    {"mtext", HTMLFIX_PORTAL},
    {"nav", HTMLFIX_BLOCK},
    {"nobr", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"noembed", HTMLFIX_RAW},
    {"noframes", HTMLFIX_RAW},
    {"noscript", 0},
    {"object", HTMLFIX_SCOPE},
    {"ol", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"optgroup", HTMLFIX_OPTIONAL},
    {"option", HTMLFIX_OPTIONAL},
    {"output", 0},
    {"p", HTMLFIX_OPTIONAL | HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"param", HTMLFIX_VOID},
    {"picture", 0},
    {"plaintext", 0},
    {"pre", HTMLFIX_BREAKOUT | HTMLFIX_CODE | HTMLFIX_BLOCK},
    {"progress", 0},
    {"q", 0},
    {"reasoning", HTMLFIX_WRAPPER},
    {"rp", HTMLFIX_OPTIONAL},
    {"rt", HTMLFIX_OPTIONAL},
    {"ruby", HTMLFIX_BREAKOUT},
    {"s", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"samp", HTMLFIX_CODE},
    {"script", HTMLFIX_RAW | HTMLFIX_HEAD},
    {"search", HTMLFIX_BLOCK},
    {"section", HTMLFIX_BLOCK},
    {"select", 0},
    {"slot", 0},
    {"small", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"source", HTMLFIX_VOID},
    {"span", HTMLFIX_BREAKOUT},
    {"strike", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"strong", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"style", HTMLFIX_RAW | HTMLFIX_HEAD},
    {"sub", HTMLFIX_BREAKOUT},
    {"summary", HTMLFIX_BLOCK},
    {"sup", HTMLFIX_BREAKOUT},
    {"svg", HTMLFIX_FOREIGN},
    {"table", HTMLFIX_BREAKOUT | HTMLFIX_SCOPE | HTMLFIX_BLOCK},
    {"tbody", HTMLFIX_OPTIONAL | HTMLFIX_TABLE},
    {"td", HTMLFIX_OPTIONAL | HTMLFIX_SCOPE | HTMLFIX_TABLE},
    {"template", HTMLFIX_SCOPE},
    {"textarea", HTMLFIX_RAW | HTMLFIX_CODE},
    {"tfoot", HTMLFIX_OPTIONAL | HTMLFIX_TABLE},
    {"th", HTMLFIX_OPTIONAL | HTMLFIX_SCOPE | HTMLFIX_TABLE},
    {"thead", HTMLFIX_OPTIONAL | HTMLFIX_TABLE},
    {"think", HTMLFIX_WRAPPER},
    {"thinking", HTMLFIX_WRAPPER},
    {"time", 0},
    {"title", HTMLFIX_RAW | HTMLFIX_PORTAL | HTMLFIX_HEAD},
    {"tool_call", HTMLFIX_WRAPPER},
    {"tr", HTMLFIX_OPTIONAL | HTMLFIX_TABLE},
    {"track", HTMLFIX_VOID},
    {"tt", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT | HTMLFIX_CODE},
    {"u", HTMLFIX_FORMAT | HTMLFIX_BREAKOUT},
    {"ul", HTMLFIX_BREAKOUT | HTMLFIX_BLOCK},
    {"var", HTMLFIX_BREAKOUT | HTMLFIX_CODE},
    {"video", 0},
    {"wbr", HTMLFIX_VOID},
    {"xmp", HTMLFIX_RAW | HTMLFIX_CODE},
};

enum { COUNT = sizeof tags / sizeof tags[0] };
_Static_assert((int)COUNT <= (int)HTMLFIX_TAG_COUNT, "an array by tag is too small");

static int compare(const char *name, size_t len, const char *known)
{
    for (size_t i = 0; i < len; i++) {
        if (known[i] == '\0') {
            return 1; /* also where the name itself has a NUL */
        }
        int d = (unsigned char)htmlfix_lower(name[i]) - (unsigned char)known[i];
        if (d != 0) {
            return d;
        }
    }
    return known[len] == '\0' ? 0 : -1;
}

unsigned htmlfix_tag_find(const char *name, size_t len)
{
    unsigned low = 1, high = COUNT;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int d = compare(name, len, tags[middle].name);
        if (d == 0) {
            return middle;
        }
        if (d < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

const struct htmlfix_tag *htmlfix_tag_get(unsigned id)
{
    return &tags[id < COUNT ? id : 0];
}
