// Status and Result<T>: operating errors as values. Broken invariants use RP_CHECK instead.
//
// std::expected is not usable with clang 14 and libstdc++ 12; this is the small part of it we need.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace retailpulse {

enum class Code : std::uint8_t {
  kOk,
  kUsage,          // the command line is wrong                       exit 64
  kConfig,         // the configuration is wrong                      exit 78
  kUnavailable,    // brokers do not answer                           exit 69
  kStorage,        // the store cannot be opened or written           exit 74
  kBusy,           // somebody else holds it; trying again may help
  kNotFound,
  kInvalid,        // a request or a value is wrong
  kTimeout,
  kCorrupt,        // what was read contradicts an invariant of the file
  kUnimplemented,
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  [[nodiscard]] bool ok() const { return code_ == Code::kOk; }
  [[nodiscard]] Code code() const { return code_; }
  // A whole sentence for a person: what, where, which value, what would be right.
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}               // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}       // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] T& value() & { return *value_; }
  [[nodiscard]] const T& value() const& { return *value_; }
  [[nodiscard]] T&& value() && { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace retailpulse
