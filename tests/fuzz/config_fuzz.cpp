// A configuration file of any bytes: sentences or settings, and never more than text on a line.
//
// The first byte chooses: a file, or words for flags, topics, properties and the environment.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/config_lines.h"
#include "app/config_load.h"
#include "app/config_values.h"
#include "base/check.h"
#include "base/escape.h"

namespace retailpulse {
namespace {

void check_sentences(const ConfigLoader& loader) {
  RP_CHECK(loader.errors().size() <= ConfigLoader::kErrorsShown + 1, "bounded");
  for (const std::string& error : loader.errors()) {
    RP_CHECK(error.size() < 5'000 && terminal_text(error) == error, "one harmless line");
  }
  RP_CHECK(!loader.show(true).empty(), "can be shown");
}

// The file that a loader reads, kept open and written anew for each input.
const std::string& file_with(std::string_view bytes) {
  static const int fd = memfd_create("config", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  RP_CHECK(ftruncate(fd, 0) == 0, "emptied");
  const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), 0);
  RP_CHECK(written == static_cast<ssize_t>(bytes.size()), "written");
  return path;
}

void load_file(std::string_view bytes) {
  ConfigLoader loader;
  loader.file(file_with(bytes));
  loader.check();
  check_sentences(loader);
}

void load_words(std::string_view bytes) {
  const std::string text(bytes);
  ConfigLoader loader;
  loader.topics({text});
  loader.properties({text, text + "=x", "sasl.username=" + text});
  loader.environment({{"RETAILPULSE_" + text, "x"}, {"RETAILPULSE_HTTP_ALLOWED_HOSTS", text}});
  for (const ConfigField& field : config_fields()) loader.flag(field.path, text, "--flag");
  loader.client_properties(file_with(bytes));
  loader.check();
  check_sentences(loader);
  if (const auto duration = parse_duration(text)) {
    RP_CHECK(parse_duration(duration_text(*duration)) == duration, "there and back");
  }
  if (const auto start = parse_start(text)) {
    const auto again = parse_start(start_text(*start));  // not beyond years of four digits
    RP_CHECK(!again || start_text(*again) == start_text(*start), "there and back");
  }
}

}  // namespace
}  // namespace retailpulse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace retailpulse;
  if (size == 0 || size > 8192) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 0) {
    load_words(rest);
  } else {
    load_file(rest);
  }
  return 0;
}
