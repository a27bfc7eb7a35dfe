/* sanitized.h - whether a sanitizer has taken the place of malloc: then glibc counts nothing. */
#ifndef KWS_TESTS_SANITIZED_H
#define KWS_TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KWS_TEST_SANITIZED 1
#elif defined(__has_feature) /* clang's way to say it */
#define KWS_TEST_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define KWS_TEST_SANITIZED 0
#endif

#endif
