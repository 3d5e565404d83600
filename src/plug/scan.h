/* What plugins there are, as JSON. */
#ifndef PLUG_SCAN_H
#define PLUG_SCAN_H

/** Print all plugins of one format (NULL: of all) to standard output. False:
 * there is no such format. [control] */
int scan_print(const char *format);

#endif
