#include "store/store_folder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "store/schema.h"

namespace retailpulse {
namespace {

// NFS, SMB, CIFS, SMB2, AFS, Ceph, Lustre, 9P (also Windows' disks in WSL), VirtualBox' shared folders.
constexpr std::array<long, 9> kNetworkTypes{0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                            0x00c36400, 0x0bd00bd0, 0x01021997, 0x786f4256};
constexpr long kFuse = 0x65735546;
// FUSE is also what encrypted folders and NTFS disks of this machine are made of: those are fine.
constexpr std::array<std::string_view, 10> kNetworkFuse{
    "sshfs",     "s3fs",      "rclone",     "gcsfuse", "glusterfs",
    "davfs",     "curlftpfs", "ceph-fuse", "smbnetfs", "blobfuse2"};

// The type of the file system that holds `directory`, as mountinfo calls it.
std::string mounted_type(const std::string& directory) {
  struct stat at {};
  if (stat(directory.c_str(), &at) != 0) return "";
  const std::string device = fmt::format("{}:{}", major(at.st_dev), minor(at.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id, parent, number, type;
    words >> id >> parent >> number;
    const auto dash = line.find(" - ");
    if (number != device || dash == std::string::npos) continue;
    std::istringstream(line.substr(dash + 3)) >> type;
    return type;
  }
  return "";
}

bool is_network(const std::string& directory, long type) {
  if (std::find(kNetworkTypes.begin(), kNetworkTypes.end(), type) != kNetworkTypes.end()) return true;
  if (type != kFuse) return false;
  const std::string name = mounted_type(directory);
  return std::any_of(kNetworkFuse.begin(), kNetworkFuse.end(),
                     [&](std::string_view known) { return name == fmt::format("fuse.{}", known); });
}

}  // namespace

Status prepare_folder(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Status(Code::kStorage, fmt::format("cannot create the folder {}: {}", directory,
                                              error.message()));
  }
  struct statfs fs {};
  if (statfs(directory.c_str(), &fs) != 0) {
    return Status(Code::kStorage, "cannot read " + directory + ": " + std::strerror(errno));
  }
  if (!is_network(directory, static_cast<long>(fs.f_type) & 0xffffffffL)) return {};
  return Status(Code::kStorage, directory + " is on a network file system, where SQLite's locks "
                                            "cannot be trusted; give a local folder with --data");
}

Status clear_for_demo(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  auto db = Database::open(path, Database::Mode::kReadOnly);
  if (!db.ok()) return db.status();
  const auto demo = read_meta(db.value(), "demo");
  if (!demo.ok() || demo.value().empty()) {
    return Status(Code::kStorage, path + " holds the numbers of a real shop; the demo begins with an "
                                         "empty store, so give it another folder with --data");
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix, error);
  return {};
}

Status FileWatch::add(std::string path) {
  struct stat at {};
  if (stat(path.c_str(), &at) != 0) {
    return Status(Code::kStorage, fmt::format("cannot find {}: {}", path, std::strerror(errno)));
  }
  files_.push_back({std::move(path), at.st_dev, at.st_ino});
  return {};
}

Status FileWatch::check() const {
  for (const File& file : files_) {
    struct stat at {};
    const bool there = stat(file.path.c_str(), &at) == 0;
    if (there && at.st_dev == file.device && at.st_ino == file.inode) continue;
    return Status(Code::kStorage,
                  fmt::format("{} was {} while this program uses it; nothing is written any more. "
                              "Put the files of the store back as they were, then start again",
                              file.path, there ? "replaced" : "deleted or renamed"));
  }
  return {};
}

}  // namespace retailpulse
