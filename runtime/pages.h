/* pages.h - the memory of program code. */
#ifndef KWS_RUNTIME_PAGES_H
#define KWS_RUNTIME_PAGES_H

/* Unmap the code of the program and of its libraries; what is still called comes back from the page
 * cache, in some hundred page faults. Call it after the start: much of the code was only for that.
 * A debugger's breakpoints that were set before are lost. */
void kws_pages_forget(void);

#endif
