// StoreFolder: where a store may be, and the files it consists of while a process uses them.
//
// Deleting, renaming or replacing a file under a running SQLite splits its readers from its writer
// and can corrupt what comes next, and SQLite itself looks for it in rollback mode only. So each
// commit looks whether the names still lead to the files that were opened.
//
// Thread:     role committer.
// Limits:     what happens between a look and the write after it is not noticed by this write but
//             by the next look: some microseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <retailpulse/status.h>
#include <retailpulse/store.h>

namespace retailpulse {

// Creates the folder. WAL needs shared memory and honest locks: network file systems are refused.
Status prepare_folder(const std::string& directory);
// For a demo: deletes the store of an earlier demo; that of a real shop is refused.
Status clear_for_demo(const std::string& path);

class FileWatch {
 public:
  // Remembers the file that has this name now.
  Status add(std::string path);
  // kStorage with a sentence as soon as a name leads to another file, or to none.
  [[nodiscard]] Status check() const;

 private:
  struct File {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  std::vector<File> files_;
};

}  // namespace retailpulse
