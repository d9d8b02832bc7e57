// hash64: the one hash of the program, fixed for ever (XXH3-64, seed 0).
//
// It is stored (order keys, visitor sketches, record ids), so a change of it is a schema change.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace retailpulse {

[[nodiscard]] std::uint64_t hash64(std::string_view bytes);
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed);

}  // namespace retailpulse
