/* Answers for libinjection: reads a value in hexadecimal digits a line, writes its fingerprint (or `-`) and `xss` (or
 * `-`). To be compiled with libinjection's own sources:
 *
 *     cc -O2 -funsigned-char -DLIBINJECTION_VERSION='""' -I SRC -o oracle oracle.c SRC/libinjection_*.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libinjection.h"

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    while ((got = getline(&line, &room, stdin)) > 0) {
        size_t len = 0;
        unsigned byte;
        char fingerprint[8] = "";
        for (; 2 * len + 1 < (size_t)got && sscanf(line + 2 * len, "%2x", &byte) == 1; len++)
            line[len] = (char)byte;
        int sqli = libinjection_sqli(line, len, fingerprint);
        int xss = libinjection_xss(line, len);
        printf("%s %s\n", sqli ? fingerprint : "-", xss ? "xss" : "-");
    }
    free(line);
    return 0;
}
