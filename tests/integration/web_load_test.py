"""Slow senders, streams that nobody reads, many pages, few file descriptors: the others are served
and the counting goes on. Small here, large in tests/long/web_load.py."""

import time

import stage
import web_client as web
import web_load as load


class Crowd(stage.Stage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.demo, cls.data = load.start_demo(cls.folder, "crowd", sse_clients_max=320,
                                             connections_max=512)
        cls.addClassCleanup(cls.demo.kill)
        cls.port = load.settled(cls.demo)

    def test_slow_senders_delay_nobody(self):
        alone = web.times_of(self.port, "/api/v1/status", 100)
        with load.beside(load.slow_senders, self.port, 600, 1.0):
            time.sleep(1.5)
            among = web.times_of(self.port, "/api/v1/status", 100)
        alone99, among99 = (web.percentile(times, 0.99) for times in (alone, among))
        print(f"600 slow senders: p99 {alone99 * 1e3:.1f} -> {among99 * 1e3:.1f} ms", flush=True)
        self.assertLess(among99, max(10 * alone99, 0.3))

    def test_streams_that_nobody_reads_cost_the_readers_nothing(self):
        before, memory = load.commit_times(self.port), web.resident_kb(self.demo.popen.pid)
        with load.beside(load.stopped_readers, self.port, 100):
            time.sleep(1)
            watch = load.StreamWatch(self.port, 5)
            grown = web.resident_kb(self.demo.popen.pid) - memory
            after = load.commit_times(self.port)
        p99, commits = load.commit_p99(before, after)
        print(f"100 stopped readers: {watch.frames} frames to another one, longest pause "
              f"{watch.longest:.2f} s; {commits} commits, p99 <= {p99 * 1e3:.0f} ms; memory "
              f"+{grown} kB", flush=True)
        self.assertGreater(watch.frames, 5)
        self.assertLess(watch.longest, 3)
        self.assertLess(grown, 100_000)

    def test_200_pages_and_50_requests_a_second(self):
        with load.beside(load.good_readers, self.port, 200) as told:
            load.last(told)
            times, failures = load.steady_requests(self.port, "/api/v1/status", 50, 4)
            fed, cut = load.last(told)
        print(f"200 streams and {len(times)} requests: p99 "
              f"{web.percentile(times, 0.99) * 1e3:.1f} ms, failures {len(failures)}", flush=True)
        self.assertEqual(failures, [])
        self.assertEqual((fed, cut), (200, 0))

    def test_no_answer_is_torn(self):
        answers, frames, faults = load.torn_reads(self.port, 3, 300, seconds=5)
        print(f"{answers} answers of {frames} frames: torn {len(faults)}", flush=True)
        self.assertEqual(faults, [])
        self.assertGreater(frames, 5, "too few writes in between to show anything")

    def test_the_judge_of_torn_answers_sees_what_is_torn(self):
        frame = self.demo.get("api/v1/frame?range=15m")
        self.assertEqual(load.torn(frame), [])
        frame["kpis"]["net_revenue"]["value"] = "1.00"
        frame["ledger"]["counted"] += 1
        frame["series"]["panes"][0]["state"] = "provisional"
        self.assertEqual(len(load.torn(frame)), 4)


class FewDescriptors(stage.Stage):
    def test_128_descriptors_and_counting_goes_on(self):
        demo, data = load.start_demo(self.folder, "few", nofile=128)
        self.addCleanup(demo.kill)
        port = load.settled(demo)
        with load.beside(load.hungry, port, 400):
            time.sleep(1)
            stalled, grown = load.stalls(data, 6)
        print(f"128 descriptors, 400 hungry clients: +{grown} records, stalls {stalled}", flush=True)
        self.assertEqual(stalled, 0, demo.told())
        self.assertIn("fewer connections are taken", demo.err)
        begun = time.monotonic()
        stage.wait_until(lambda: web.ask(port, "/api/v1/status").status == 200, 5, demo.told)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertNotRegex(demo.err, '"level":"error"')
        self.assertEqual(demo.terminate(10)[0], 0, demo.told())


if __name__ == "__main__":
    stage.main()
