// sanitizer: is this a build with the address or the thread sanitizer? Such a build needs terabytes of
// address space, keeps what was freed, and is ten times slower; limits of memory and time do not
// hold in it.
//
// Thread: any (constant).
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RP_SANITIZED 1
#endif
#endif

namespace retailpulse {

#ifdef RP_SANITIZED
inline constexpr bool kSanitized = true;
#undef RP_SANITIZED
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace retailpulse
