"""The store's disk is full, read-only, failing, locked or taken away under the running program.

A pause is never a restart: the process that paused is the one that goes on. The prefix oracle
judges every store. RETAILPULSE_DISK_CYCLES is for tests/long/disk_full.
"""

import errno
import os
import signal
import sqlite3
import time

import disk_stage as disk
import stage
from disk_fuse import EmptyFuse

CYCLES = int(os.environ.get("RETAILPULSE_DISK_CYCLES", "3"))
LOCKS = int(os.environ.get("RETAILPULSE_DISK_LOCKS", "2"))
LOCKED_FOR = float(os.environ.get("RETAILPULSE_DISK_LOCKED_FOR", "3"))
STARTS = 50
MB = 1 << 20


def fill(path):
    """Until there is no room left; the file is what takes it."""
    with open(path, "ab", buffering=0) as file:
        for size in (MB, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


class DiskTest(disk.DiskStage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        disk.own_mounts()

    def small_disk(self, size):
        data = self.new_data()
        disk.mount("tmpfs", data, "tmpfs", options=f"size={size}")
        self.addCleanup(disk.unmount, data)
        return data

    def give_until_paused(self, run):
        """A few commits may still find room that is theirs already."""
        def paused():
            self.shop.give(200)
            return self.state(run)["name"] == "store_paused"
        stage.wait_until(paused, 20, lambda: f"no pause: {self.state(run)}; {run.told()}", 0.3)
        return self.state(run)

    def test_a_full_disk_pauses_and_goes_on_by_itself(self):
        data = self.small_disk(f"{24 + 2 * CYCLES}m")
        run = self.begin(data)
        for cycle in range(CYCLES):
            self.shop.give(self.random.randrange(50, 400))
            if self.random.random() < 0.5:
                run.wait_for_consumed(self.shop.given, 20)
            fill(data / "ballast")
            state = self.give_until_paused(run)
            self.assertRegex(state["reason"], "disk is full|No space left")
            self.assertEqual(self.ready(run)[0], 503)
            run.get("api/v1/ledger")  # a full disk can be read
            self.shop.give(self.random.randrange(100))
            (data / "ballast").unlink()
            self.goes_on(run)
            if cycle % 10 == 0:
                self.agree_with_oracle(data)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.agree_with_oracle(data)

    def test_it_can_be_ended_while_the_disk_is_full(self):
        data = self.small_disk("16m")
        run = self.begin(data)
        self.shop.give(200)
        run.wait_for_consumed(self.shop.given, 20)
        fill(data / "ballast")
        self.give_until_paused(run)
        code, took = run.terminate(10)
        self.assertEqual((code, took < 5), (0, True), run.told())
        self.agree_with_oracle(data, whole=False)
        (data / "ballast").unlink()
        run = self.begin(data)
        self.goes_on(run)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.agree_with_oracle(data)

    def test_a_start_on_a_disk_that_cannot_be_written_is_one_sentence(self):
        data = self.small_disk("4m")
        remount, read_only = 32, 1
        disk.mount("tmpfs", data, "tmpfs", remount | read_only)
        run = self.finish(*self.run_arguments(data), seconds=10, code=74)
        self.assertRegex(run.err, r"^retailpulse: .*Read-only file system.*\n$")
        disk.mount("tmpfs", data, "tmpfs", remount)
        self.finish(*self.run_arguments(data, "-e"), seconds=20)
        fill(data / "ballast")
        run = self.start(*self.run_arguments(data, "-e"))
        stage.wait_until(lambda: run.popen.poll() is not None or "disk is full" in run.err, 20, run.told)
        if run.popen.poll() is None:  # it waits for room, and goes on
            (data / "ballast").unlink()
            self.assertEqual(run.wait(20), 0, run.told())
        elif run.popen.returncode != 0:  # or what it needed was there all the same
            self.assertEqual(run.popen.returncode, 74, run.told())
            self.assertRegex(run.err, "No space left|disk is full")

    def test_network_file_systems_are_refused(self):
        for name, refused in (("fuse.sshfs", True), ("fuse.rclone", True), ("fuse.gocryptfs", False)):
            data = self.new_data()
            fuse = EmptyFuse(data, name)
            try:
                run = self.finish(*self.run_arguments(data), seconds=10, code=74)
            finally:
                fuse.close()
            self.assertEqual("is on a network file system" in run.err, refused, run.told())
            if not refused:  # it went on, to a folder in which nothing can be made
                self.assertIn("retailpulse.lock", run.err)

    def faulty(self):
        """The program on a disk whose faults are ours, with something counted."""
        data = self.new_data()
        board = disk.FaultBoard(self.folder / f"board-{data.name}")
        run = self.begin(data, "--durability", "full", **board.environment)
        self.shop.give(200)
        run.wait_for_consumed(self.shop.given, 20)
        return data, board, run

    def test_a_disk_that_turns_read_only_pauses(self):
        data, board, run = self.faulty()
        for calls in (disk.WRITE | disk.TRUNCATE, disk.WRITE):
            board.fail(calls, errno.EROFS, disk.FOR_EVER)
            self.shop.give(200)
            state = self.wait_for_state(run, "store_paused")
            self.assertIn("Read-only file system", state["reason"])
            time.sleep(3)  # far more tries than an error that is none of room gets
            self.assertEqual(self.state(run)["name"], "store_paused")
            board.heal()
            self.goes_on(run)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.agree_with_oracle(data)

    def test_an_io_error_is_tried_three_times(self):
        data, board, run = self.faulty()
        board.fail(disk.WRITE, errno.EIO, 1)
        self.shop.give(200)
        stage.wait_until(lambda: board.failed == 1, 10, "a write failed")
        self.goes_on(run)
        board.fail(disk.WRITE, errno.EIO, disk.FOR_EVER)
        self.shop.give(200)
        state = self.wait_for_state(run, "read_only")
        self.assertIn("Input/output error", state["reason"])
        self.assertEqual(self.ready(run)[0], 503)
        self.assertEqual(board.failed, 3, "three tries, the last one too many")
        self.agree_with_oracle(data, whole=False)
        board.heal()
        self.assertEqual(run.terminate()[0], 74, run.told())
        self.again(data)

    def test_a_failed_fsync_ends_all_writing(self):
        data, board, run = self.faulty()
        board.fail(disk.SYNC, errno.EIO, 1)
        self.shop.give(200)
        self.wait_for_state(run, "read_only")
        self.shop.give(200)
        time.sleep(1)
        self.assertEqual(run.terminate()[0], 74, run.told())
        self.assertEqual((board.failed, board.after), (1, 0), "nothing was written afterwards")
        self.again(data)

    def again(self, data):
        """The next process finds a sound store and goes on to the end."""
        self.agree_with_oracle(data, whole=False)
        self.finish(*self.run_arguments(data, "-e"), seconds=60)
        self.agree_with_oracle(data)

    def test_another_tool_holds_the_lock(self):
        data = self.new_data()
        run = self.begin(data)
        self.shop.give(200)
        run.wait_for_consumed(self.shop.given, 20)
        for _ in range(LOCKS):
            before = run.status()["ledger"]["consumed"]
            tool = sqlite3.connect(data / "retailpulse.db", isolation_level=None, timeout=10)
            tool.execute("BEGIN IMMEDIATE")
            self.shop.give(300)
            self.assertIn("locked", self.wait_for_state(run, "store_paused")["reason"])
            time.sleep(LOCKED_FOR)
            self.assertEqual(run.status()["ledger"]["consumed"], before)
            tool.execute("ROLLBACK")
            tool.close()
            self.goes_on(run)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.agree_with_oracle(data)

    def test_a_store_that_is_taken_away_is_noticed(self):
        data = self.new_data()
        run = self.begin(data)
        self.shop.give(200)
        run.wait_for_consumed(self.shop.given, 20)
        os.rename(data / "retailpulse.db", data / "mine.db")
        before = (data / "mine.db").read_bytes()
        self.shop.give(200)
        self.assertIn("renamed", self.wait_for_state(run, "read_only")["reason"])
        self.assertEqual(run.terminate()[0], 74, run.told())
        self.assertEqual((data / "mine.db").read_bytes(), before)
        self.assertFalse((data / "retailpulse.db").exists())
        os.rename(data / "mine.db", data / "retailpulse.db")
        self.again(data)

    def test_of_fifty_starts_one_runs(self):
        data = self.new_data()
        begun = time.monotonic()
        runs = [self.start(*self.run_arguments(data), name=f"of-{STARTS}") for _ in range(STARTS)]
        ended = {}

        def one_is_left():
            for run in runs:
                if run not in ended and run.popen.poll() is not None:
                    ended[run] = time.monotonic() - begun
            return len(ended) == STARTS - 1
        stage.wait_until(one_is_left, 20, lambda: f"{len(ended)} ended", 0.01)
        print(f"{STARTS} starts at once: all but one had ended after {max(ended.values()):.2f} s")
        for run in ended:
            self.assertEqual(run.popen.returncode, 74, run.told())
            self.assertRegex(run.err, r"^retailpulse: the store is in use by (process \d+|another process) .*\n$")
        [owner] = [run for run in runs if run not in ended]
        owner.wait_for_page().signal(signal.SIGSTOP)
        begun = time.monotonic()
        other = self.finish(*self.run_arguments(data), seconds=10, code=74)
        self.assertLess(time.monotonic() - begun, 1)
        self.assertIn(f"in use by process {owner.popen.pid} ", other.err)
        owner.signal(signal.SIGCONT)
        self.shop.give(100)
        self.goes_on(owner)
        self.assertEqual(owner.terminate()[0], 0, owner.told())
        self.agree_with_oracle(data)

    def test_memory_that_ends(self):
        data = self.new_data()
        endings = []
        for limit in (40, 80, 120, 160, 240, 400):
            self.shop.give(300)
            run = stage.Process([f"--as={limit * MB}", stage.PROGRAM,
                                 *self.run_arguments(data, "-e")],
                                self.folder, f"prlimit-{limit}", program="prlimit")
            self.addCleanup(run.kill)
            try:
                endings.append((limit, run.wait(8)))
            except AssertionError:
                run.kill()
                endings.append((limit, "still runs"))
            self.agree_with_oracle(data, whole=False)
        print(f"address space in MB and how it ended: {endings}")
        self.again(data)


if __name__ == "__main__":
    stage.main()
